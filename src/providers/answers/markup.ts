import type { DialPlan } from './answer-plan.ts';

/** Attributes of an element; those without a value are left out. */
export type Attributes = { readonly [name: string]: string | undefined };

const PROLOGUE = '<?xml version="1.0" encoding="UTF-8"?>';

/** A whole document: `<Response>` around the verbs, as every provider's XML has it. */
export function responseOf(...verbs: readonly string[]): string {
  return `${PROLOGUE}\n<Response>${verbs.join('')}</Response>`;
}

/** An element around others, which are markup already. */
export function element(name: string, attributes: Attributes = {}, ...children: readonly string[]): string {
  const spelled = Object.entries(attributes)
    .flatMap(([key, value]) => (value === undefined ? [] : [` ${key}="${escaped(value)}"`]))
    .join('');
  const inner = children.join('');
  return inner === '' ? `<${name}${spelled}/>` : `<${name}${spelled}>${inner}</${name}>`;
}

/** `<Dial>`, as Twilio has it and its look-alikes do; the element for a SIP URI differs. */
export function dialElement({ to, from }: DialPlan, sipElement: 'Sip' | 'User'): string {
  const target = /^sips?:/i.test(to) ? sipElement : 'Number';
  return element('Dial', { callerId: from ?? undefined }, element(target, {}, escaped(to)));
}

/** Text between tags, and in attributes: what XML 1.0 §2.2 has no place for is left out. */
export function escaped(text: string): string {
  return plain(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** Without control characters and broken surrogates, which neither XML nor an address may hold. */
export function plain(text: string): string {
  return text.toWellFormed().replaceAll(/[\p{Cc}\uFFFE\uFFFF]/gu, '');
}
