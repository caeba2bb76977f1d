import { Type, type Static, type TProperties } from 'typebox';
import { AGENT_TOOLS, type AgentTerms, type AgentToolName } from '../../events/agents.ts';
import { Nullable } from '../answers.ts';
import { HttpToolViews, HttpToolWishes } from './tool-shapes.ts';

const PROMPT_CHARACTERS_MAX = 32_768;
const BACKENDS_MAX = 8;

const name = Type.String({ minLength: 1, maxLength: 128 });
const word = Type.String({ minLength: 1, maxLength: 256 });

function choice<T extends string>(values: readonly T[], description: string) {
  return Type.Unsafe<T>({ type: 'string', enum: [...values], description });
}

const backend = {
  dialect: Type.String({ maxLength: 32, description: 'its protocol (docs/agents.md)' }),
  name: Type.Optional(name),
  url: Type.Optional(
    Nullable(
      Type.String({ maxLength: 2048, pattern: '^wss?://[^\\s]+$', description: 'null: the public one' }),
    ),
  ),
  model: Type.Optional(Nullable(word)),
  voice: Type.Optional(Nullable(word)),
  options: Type.Optional(
    Type.Record(Type.String({ maxLength: 64 }), Type.String({ maxLength: 64 }), { maxProperties: 32 }),
  ),
  settings: Type.Optional(
    Type.Record(Type.String(), Type.Unknown(), { description: 'at most 16 KiB as JSON' }),
  ),
};

const BackendWish = Type.Object(
  {
    ...backend,
    api_key: Type.Optional(
      Nullable(
        Type.String({ minLength: 1, maxLength: 4096, description: 'never shown again; absent: kept' }),
      ),
    ),
  },
  { additionalProperties: false },
);

const Transfer = {
  type: 'object',
  additionalProperties: false,
  required: ['target'],
  properties: {
    target: {
      type: 'object',
      additionalProperties: false,
      required: ['type', 'to'],
      properties: {
        type: { type: 'string', enum: ['console', 'queue', 'ws', 'leg', 'phone'] },
        to: { type: 'string', minLength: 1, maxLength: 1024 },
      },
    },
    mode: { type: 'string', enum: ['cold', 'warm', 'whisper'] },
    hold: { type: 'string', enum: ['music', 'silence', 'agent_keeps_talking'] },
    timeout_ms: { type: 'integer', minimum: 1000, maximum: 600_000 },
  },
} as const;

type Transfer = NonNullable<AgentTerms['transfer']>;

/** Within what the settings of a node may say of it. */
const VoiceDetection = Type.Object(
  {
    aggressiveness: Type.Optional(Type.Integer({ minimum: 0, maximum: 3 })),
    start_ms: Type.Optional(Type.Integer({ minimum: 20, maximum: 1000 })),
    stop_ms: Type.Optional(Type.Integer({ minimum: 20, maximum: 5000 })),
    level_min_dbfs: Type.Optional(Type.Number({ minimum: -100, maximum: 0 })),
  },
  { additionalProperties: false, description: 'what is absent is as the node has it' },
);

const terms = {
  name,
  prompt: Nullable(Type.String({ maxLength: PROMPT_CHARACTERS_MAX })),
  greeting: Nullable(
    Type.String({ minLength: 1, maxLength: 2048, description: 'null: the caller speaks first' }),
  ),
  language: Nullable(Type.String({ minLength: 2, maxLength: 35 })),
  tools: Type.Array(Type.Unsafe<AgentToolName>({ type: 'string', enum: [...AGENT_TOOLS] }), { maxItems: 16 }),
  transfer: Type.Unsafe<(Partial<Transfer> & Pick<Transfer, 'target'>) | null>({
    ...Transfer,
    type: ['object', 'null'],
  }),
  barge_in: choice(
    ['notify', 'pause', 'clear', 'ignore'],
    'what becomes of its words when it is spoken over',
  ),
  voice_events: Type.Boolean({ description: 'tell of the agent’s own voice as well' }),
  record: Type.Optional(Type.Boolean({ description: 'record its calls from their first moment on' })),
  first_audio_timeout_ms: Type.Integer({ minimum: 500, maximum: 60_000 }),
  reconnects_max: Type.Integer({ minimum: 0, maximum: 10 }),
  when_unavailable: choice(['end_call', 'go_on'], 'what becomes of a call that no backend answers'),
  duration_max_ms: Type.Integer({ minimum: 0, maximum: 86_400_000, description: '0: the node’s own limit' }),
  silence_timeout_ms: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 3_600_000, description: '0: the node’s own limit' }),
  ),
  voice_detection: Type.Optional(Nullable(VoiceDetection)),
  qualification_threshold: Nullable(Type.Number({ minimum: -1_000_000, maximum: 1_000_000 })),
} satisfies TProperties;

const { name: _, ...wishes } = terms;

/** What may be said of an agent; whatever is not said stays as it is, or has its default. */
export const AgentWish = Type.Partial(
  Type.Object({
    name,
    ...wishes,
    backends: Type.Array(BackendWish, { minItems: 1, maxItems: BACKENDS_MAX }),
    http_tools: HttpToolWishes,
  }),
  { additionalProperties: false },
);

export type AgentWish = Static<typeof AgentWish>;

const BackendView = Type.Object({
  name: Type.String(),
  dialect: Type.String(),
  url: Nullable(Type.String()),
  has_api_key: Type.Boolean(),
  model: Nullable(Type.String()),
  voice: Nullable(Type.String()),
  options: Type.Record(Type.String(), Type.String()),
  settings: Type.Record(Type.String(), Type.Unknown()),
});

const TermsView = {
  ...terms,
  backends: Type.Array(BackendView),
  http_tools: HttpToolViews,
};

/** An agent as the API tells it: its draft, and how far that is published. */
export const AgentShape = Type.Object({
  id: Type.String(),
  test_mode: Type.Boolean(),
  version: Type.Integer({ description: 'how often it was published; 0: never' }),
  has_changes: Type.Boolean({ description: 'the draft is not what is published' }),
  created_at: Type.String(),
  published_at: Nullable(Type.String()),
  ...TermsView,
});

/** What became of a try. */
export const TrialShape = Type.Object({
  agent_id: Type.String(),
  ok: Type.Boolean({ description: 'a call would be answered: at least one backend is good' }),
  backends: Type.Array(
    Type.Object({
      name: Type.String(),
      dialect: Type.String(),
      ok: Type.Boolean(),
      error: Nullable(Type.String()),
      detail: Nullable(Type.String()),
      ready_ms: Nullable(Type.Integer()),
      first_audio_ms: Nullable(Type.Integer()),
    }),
  ),
});

/** What calls know of an agent. */
export const RuntimeShape = Type.Object({ agent_id: Type.String(), version: Type.Integer(), ...TermsView });
