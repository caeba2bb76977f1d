import { saidIn } from './told-call.ts';
import type { Fields, Webhook } from './webhook.ts';

/**
 * What a status callback means to us. `ended`: the provider's call is over. `stream_lost`: its stream is, and
 * the call may go on. `progress`: it rings, was answered; nothing follows. `unknown`: providers add some.
 */
export type StatusNews = 'ended' | 'stream_lost' | 'progress' | 'unknown';

const ENDED = ['completed', 'busy', 'failed', 'no-answer', 'canceled', 'cancelled', 'cancel', 'timeout'];
const PROGRESS = ['queued', 'initiated', 'ringing', 'in-progress', 'answered', 'trying', 'early-media'];

type Reader = (fields: Fields, webhook: Webhook) => StatusNews;

const READERS: { readonly [dialect: string]: Reader } = {
  twilio: twilioNews,
  fonoster: twilioNews,
  signalwire: twilioNews,
  telnyx: (fields) => telnyxNews(fields['event_type']) ?? twilioNews(fields),
  plivo: plivoNews,
  vobiz: plivoNews,
  bandwidth: ({ eventType = '', cause }) => bandwidthNews(eventType, cause),
  vonage: (fields, webhook) => vonageNews(fields, webhook),
  jambonz: ({ call_status: status = '' }) => statusNews(status),
  exotel: ({ Status: status = '', CallStatus: other }) => statusNews(other ?? status),
};

export function statusNewsOf(dialect: string, webhook: Webhook): StatusNews {
  const read = Object.hasOwn(READERS, dialect) ? READERS[dialect] : undefined;
  return read?.(saidIn(dialect, webhook), webhook) ?? 'unknown';
}

/** `StreamEvent` of a stream's callback, `CallStatus` of a call's (twilio.com/docs/voice/twiml/stream). */
function twilioNews({ StreamEvent: event, CallStatus: status = '' }: Fields): StatusNews {
  if (event === undefined) return statusNews(status);
  if (event === 'stream-error') return 'stream_lost';
  return event === 'stream-started' || event === 'stream-stopped' ? 'progress' : 'unknown';
}

function telnyxNews(event: string | undefined): StatusNews | undefined {
  if (event === undefined) return undefined;
  if (event === 'call.hangup') return 'ended';
  if (event === 'streaming.failed') return 'stream_lost';
  return /^(?:call|streaming)\.[\w.]+$/.test(event) ? 'progress' : 'unknown';
}

function plivoNews({ Event: event, CallStatus: status = '' }: Fields): StatusNews {
  switch (event) {
    case 'Hangup':
      return 'ended';
    case 'DroppedStream':
      return 'stream_lost';
    case 'StartStream':
    case 'StopStream':
    case 'PlayedStream':
    case 'ClearedAudio':
    case 'DegradedStream':
      return 'progress';
    default:
      return statusNews(status);
  }
}

/** dev.bandwidth.com, webhooks `disconnect`, `mediaStreamStopped`, `mediaStreamRejected`. */
function bandwidthNews(event: string, cause: string | undefined): StatusNews {
  if (event === 'disconnect') return 'ended';
  if (event === 'mediaStreamRejected') return 'stream_lost';
  if (event === 'mediaStreamStopped') return cause === 'closed' ? 'progress' : 'stream_lost';
  return ['initiate', 'answer', 'mediaStreamStarted', 'redirect'].includes(event) ? 'progress' : 'unknown';
}

/** Events of our `connect` are about its WebSocket: our address names the call. Others are about the call. */
function vonageNews(fields: Fields, webhook: Webhook): StatusNews {
  const { status = '' } = fields;
  const isOfStream = new URLSearchParams(webhook.query).has('call');
  const isOver = status === 'disconnected' || status === 'unanswered' || status === 'rejected';
  if (isOfStream) return isOver || ENDED.includes(status) ? 'stream_lost' : statusNews(status);
  return isOver && status !== 'disconnected' ? 'ended' : statusNews(status);
}

function statusNews(status: string): StatusNews {
  const spelled = status.toLowerCase();
  if (ENDED.includes(spelled)) return 'ended';
  return PROGRESS.includes(spelled) || spelled === 'started' ? 'progress' : 'unknown';
}
