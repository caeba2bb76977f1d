import { isObject } from '../../base/json.ts';
import { plain } from './markup.ts';
import { fieldsOf, fieldsWithin, jsonOf, queryOf, type Fields, type Webhook } from './webhook.ts';

/** What a provider says of one of its calls. */
export interface ToldCall {
  /** The provider's own name of the call. */
  readonly id: string | null;
  readonly from: string | null;
  readonly to: string | null;
  readonly direction: 'inbound' | 'outbound';
}

type Names = { readonly [field in 'id' | 'from' | 'to']: readonly string[] };

/** What is longer is no id and no number of a call. */
const TOLD_CHARACTERS_MAX = 128;

const TWILIO_NAMES: Names = { id: ['CallSid'], from: ['From'], to: ['To'] };
const PLIVO_NAMES: Names = { id: ['CallUUID'], from: ['From'], to: ['To'] };

/** Where each provider says it, in the order of preference. */
const NAMES: { readonly [dialect: string]: Names } = {
  twilio: TWILIO_NAMES,
  fonoster: TWILIO_NAMES,
  signalwire: TWILIO_NAMES,
  // TeXML has Twilio's names, Call Control its own.
  telnyx: {
    id: ['CallSid', 'call_control_id'],
    from: ['From', 'from'],
    to: ['To', 'to'],
  },
  plivo: PLIVO_NAMES,
  vobiz: PLIVO_NAMES,
  bandwidth: { id: ['callId'], from: ['from'], to: ['to'] },
  vonage: { id: ['uuid'], from: ['from'], to: ['to'] },
  jambonz: { id: ['call_sid', 'callSid'], from: ['from'], to: ['to'] },
  exotel: { id: ['CallSid'], from: ['CallFrom', 'From'], to: ['CallTo', 'To'] },
};

/** The call that a request is about; nulls where it does not say. */
export function toldCallOf(dialect: string, webhook: Webhook): ToldCall {
  const fields = saidIn(dialect, webhook);
  const names = NAMES[dialect] ?? TWILIO_NAMES;
  // What we wrote into our own address is the call, whatever leg of it the request is about.
  const ours = queryOf(webhook);
  return {
    id: told(ours, ['call']) ?? told(fields, names.id),
    from: told(ours, ['call_from']) ?? told(fields, names.from),
    to: told(ours, ['call_to']) ?? told(fields, names.to),
    direction: (fields['Direction'] ?? fields['direction'] ?? '').startsWith('outbound')
      ? 'outbound'
      : 'inbound',
  };
}

/** The fields of a request, wherever this provider puts them. */
export function saidIn(dialect: string, webhook: Webhook): Fields {
  if (dialect !== 'telnyx') return fieldsOf(webhook);
  // Call Control: `{"data":{"event_type":…,"payload":{…}}}` (developers.telnyx.com, webhooks).
  const { data } = jsonOf(webhook);
  if (!isObject(data)) return fieldsOf(webhook);
  return Object.assign(fieldsWithin(data), fieldsWithin(data['payload']));
}

function told(fields: Fields, names: readonly string[]): string | null {
  for (const name of names) {
    const text = plain(fields[name] ?? '').trim();
    if (text !== '' && text.length <= TOLD_CHARACTERS_MAX) return text;
  }
  return null;
}
