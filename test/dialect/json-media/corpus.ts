import { seededRolls } from '../../../src/base/clock.ts';
import type { MediaWords } from '../../../src/dialect/json-media/words.ts';

const PAYLOADS = ['QUJD', 'QUJDRA==', 'QUJDREU=', Buffer.alloc(160, 0xff).toString('base64'), 'AAD+/wEA'];
const ODD_PAYLOADS = ['', 'QQ', 'Q U=', 'QUJD\\n', 'QU\\/D', '====', 'é', 'QUJD QUJD', '"'];
const COUNTERS = ['"7"', '7', '"007"', '0', '"0"', '65535', '"65536"', '"1748944800123"', '999999999999999'];
const ODD_VALUES =
  'null true false -1 1.5 1e3 01 "" "x" {} [] "\\u0031" nul {"a":1} "9999999999999999"'.split(' ');
const BLANKS = ['', '', '', '', ' ', '\n', '\t ', '\r\n'];
const HOSTILE_BYTES = Buffer.from('"\\{}[]:,=0A9 \n\x00\x7f\xff', 'latin1');

/** Chance from a seed: the same messages each time. */
export class Dice {
  /** A whole number below a bound. */
  readonly below: (bound: number) => number;

  constructor(seed: number) {
    this.below = seededRolls(seed);
  }

  oneOf<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!;
  }

  happens(oneIn: number): boolean {
    return this.below(oneIn) === 0;
  }
}

/** A message of a provider's audio as it may come: valid, odd or hostile. */
export function mediaMessageBy(words: MediaWords, dice: Dice): Buffer {
  const inner = shuffled(audioMembers(words, dice), dice);
  const kind = member(words.kindKey, dice.happens(30) ? '"other"' : `"${dice.oneOf(words.kinds)}"`);
  const outer = [...strangers(dice), kind];
  if (words.container === null) outer.push(...inner);
  else if (!dice.happens(50)) outer.push(member(words.container, object(inner, dice)));
  if (dice.happens(60)) outer.push(dice.oneOf(outer));
  return spoiled(Buffer.from(object(shuffled(outer, dice), dice)), dice);
}

function audioMembers(words: MediaWords, dice: Dice): string[] {
  const payload = dice.happens(10) ? dice.oneOf(ODD_PAYLOADS) : dice.oneOf(PAYLOADS);
  const members = [...strangers(dice), member(words.payload, `"${payload}"`)];
  if (words.track !== null && !dice.happens(4)) {
    members.push(
      member(words.track, dice.happens(3) ? odd(dice, '"outbound"') : `"${dice.oneOf(words.tracks)}"`),
    );
  }
  for (const counter of [words.timestamp, words.sequence]) {
    if (counter !== null && !dice.happens(4)) members.push(member(counter, odd(dice, dice.oneOf(COUNTERS))));
  }
  if (dice.happens(40)) members.push(dice.oneOf(members));
  return members;
}

/** Members nobody knows, some of them like those that are known. */
function strangers(dice: Dice): string[] {
  const names = ['streamSid', 'sequenceNumber', 'extra_headers', 'x', 'Media', 'payload2', '__proto__', ''];
  return Array.from({ length: dice.below(3) }, () =>
    member(dice.oneOf(names), odd(dice, dice.oneOf(['"MZ12"', '"{}"', '3', '"inbound"']))),
  );
}

function odd(dice: Dice, value: string): string {
  return dice.happens(12) ? dice.oneOf(ODD_VALUES) : value;
}

function member(name: string, value: string): string {
  return `"${name}":${value}`;
}

function object(members: readonly string[], dice: Dice): string {
  const blank = dice.happens(4) ? dice.oneOf(BLANKS) : '';
  return `${blank}{${blank}${members.join(`${blank},${blank}`)}${blank}}${blank}`;
}

function shuffled(members: readonly string[], dice: Dice): string[] {
  const order = [...members];
  if (dice.happens(3)) order.reverse();
  return order;
}

/** Most messages are left as they are; of the others a byte is wrong, or the end is missing. */
function spoiled(message: Buffer, dice: Dice): Buffer {
  if (dice.happens(12)) message[dice.below(message.length)] = dice.oneOf([...HOSTILE_BYTES]);
  return dice.happens(40) ? message.subarray(0, dice.below(message.length)) : message;
}
