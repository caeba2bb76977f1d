import type { JsonObject } from '../base/json.ts';
import { CALL_END_REASONS } from './catalogue.ts';

const text = { type: 'string' };
const textOrNull = { type: ['string', 'null'] };
const time = { type: 'string', format: 'date-time' };
const count = { type: 'integer', minimum: 0 };
const countOrNull = { type: ['integer', 'null'], minimum: 0 };
const numberOrNull = { type: ['number', 'null'] };
const millis = { type: 'number', minimum: 0 };
const decimal = { type: 'string', pattern: '^[0-9]+(\\.[0-9]+)?$' };
const role = { enum: ['caller', 'agent', 'human', 'supervisor'] };

function closed(properties: JsonObject, optional: readonly string[] = []): JsonObject {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: 'object', required, properties, additionalProperties: false };
}

function orNull(schema: JsonObject): JsonObject {
  return { anyOf: [{ type: 'null' }, schema] };
}

function listOf(items: JsonObject): JsonObject {
  return { type: 'array', items };
}

function mapOf(values: JsonObject): JsonObject {
  return { type: 'object', additionalProperties: values };
}

const mood = {
  score: { type: 'number', minimum: -1, maximum: 1 },
  label: { enum: ['positive', 'neutral', 'negative'] },
};

const HEAD = {
  call_id: text,
  state: { const: 'ended' },
  direction: { enum: ['inbound', 'outbound'] },
  from: textOrNull,
  to: textOrNull,
  agent_id: textOrNull,
  conversation_id: text,
  lead_id: textOrNull,
  contact_id: textOrNull,
  metadata: { type: 'object' },
  started_at: time,
};

const LEG = closed({
  leg_id: text,
  role,
  dialect: text,
  codec: textOrNull,
  connected_at: time,
  disconnected_at: { type: ['string', 'null'], format: 'date-time' },
  reason: textOrNull,
});

const QUALITY = closed(
  {
    received_frames: count,
    late_frames: count,
    lost_frames: count,
    duplicate_frames: count,
    concealed_frames: count,
    sent_frames: count,
    dropped_frames: count,
    stretched_ms: count,
    drift_ppm: { type: 'integer' },
    mos: numberOrNull,
    r_factor: numberOrNull,
    loss_ratio: numberOrNull,
    jitter_ms: numberOrNull,
    delay_ms: numberOrNull,
  },
  ['loss_ratio'],
);

const SENTIMENT = closed({
  method: { enum: ['afinn-165', 'http'] },
  ...mood,
  parties: mapOf(closed(mood)),
  over_time: listOf(closed({ ...mood, start_ms: numberOrNull, end_ms: numberOrNull })),
});

const SUMMARY = closed({ method: { enum: ['lexrank', 'http'] }, text });

const FACTS = {
  duration_ms: count,
  reason: { enum: CALL_END_REASONS },
  talk_ms: mapOf(millis),
  parties: listOf(closed({ leg_id: text, role, talk_ms: millis, interruptions: count })),
  interruptions: mapOf(count),
  cost: orNull(
    closed({
      amount: decimal,
      currency: { type: 'string', pattern: '^[A-Z]{3}$' },
      minutes: count,
      per_minute: decimal,
    }),
  ),
  disposition: textOrNull,
  qualification: orNull(
    closed({
      score: { type: 'number' },
      threshold: numberOrNull,
      criteria: { type: 'object' },
      met: { type: ['boolean', 'null'] },
    }),
  ),
  sentiment: orNull(SENTIMENT),
  summary: orNull(SUMMARY),
  transcript: orNull(
    closed({ url: { type: 'string', format: 'uri' }, segments: { type: 'integer', minimum: 1 } }),
  ),
  recordings: listOf(
    closed({
      recording_id: text,
      url: { type: 'string', format: 'uri' },
      channels: { const: 2 },
      duration_ms: countOrNull,
    }),
  ),
  quality: mapOf(QUALITY),
  legs: listOf(LEG),
  timeline: listOf(
    closed({ sequence: { type: 'integer', minimum: 1 }, type: text, at: time, leg_id: text }, ['leg_id']),
  ),
  /** What the functions that agents called came to. */
  tools: listOf({ type: 'object' }),
};

const measured = closed({
  method: { enum: ['http', 'afinn-165', 'lexrank', null] },
  reason: { enum: ['no_transcript', 'language', 'too_little', null] },
});

const ANALYSIS = closed({
  language: textOrNull,
  sentiment: measured,
  summary: measured,
  analyser: orNull(
    closed({
      outcome: { enum: ['answered', 'given_up'] },
      attempts: { type: 'integer', minimum: 1 },
      error: textOrNull,
    }),
  ),
});

const OPTIONAL = ['interruptions', 'tools'];

/**
 * JSON Schema (2020-12) of `data` in `call_completed`, where sentiment and summary are still null, and in
 * `call_analyzed`, which says how it came by them.
 */
export const POST_CALL_SCHEMA: JsonObject = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'urn:omnivoice:post-call:v1',
  title: 'The post-call payload: data of call_completed and call_analyzed',
  ...closed({ ...HEAD, ...FACTS, analysis: ANALYSIS }, [...OPTIONAL, 'analysis']),
};
