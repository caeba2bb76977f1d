import { VoiceError } from '../../base/errors.ts';
import type { AgentTerms, BackendTerms } from '../../events/agents.ts';
import type { AgentDesk } from './agent-desk.ts';
import type { AgentWish } from './agent-shapes.ts';

const SETTINGS_BYTES_MAX = 16_384;
/** Protocols of one public service; every other backend is at an address of its own. */
const PUBLIC: readonly string[] = ['openai-realtime', 'deepgram-agent'];
/** Only writes down what is said. */
const LISTENERS: readonly string[] = ['deepgram-stt'];

const DEFAULTS: Omit<AgentTerms, 'name' | 'backends'> = {
  prompt: null,
  greeting: null,
  language: null,
  tools: ['end_call'],
  http_tools: [],
  transfer: null,
  barge_in: 'clear',
  voice_events: false,
  record: false,
  first_audio_timeout_ms: 5_000,
  reconnects_max: 2,
  when_unavailable: 'end_call',
  duration_max_ms: 0,
  silence_timeout_ms: 0,
  voice_detection: null,
  qualification_threshold: null,
};

/**
 * The terms an agent has once a wish is granted, its own functions as they were; throws where nobody could
 * answer by them.
 */
export function termsOf(
  wish: AgentWish,
  before: AgentTerms | undefined,
  dialects: AgentDesk['dialects'],
): AgentTerms {
  const { backends, transfer, http_tools: _, ...rest } = wish;
  const name = wish.name ?? before?.name;
  if (name === undefined) throw wrong('an agent has a name', 'name');
  const chain = backends?.map((one, index) => backendOf(one, index, before, dialects)) ?? before?.backends;
  if (chain === undefined) throw wrong('an agent has at least one backend', 'backends');
  if (new Set(chain.map((one) => one.name)).size < chain.length) {
    throw wrong('two backends have the same name', 'backends');
  }
  const transferred = transfer === undefined ? (before ?? DEFAULTS).transfer : transferOf(transfer);
  return { ...DEFAULTS, ...before, ...rest, name, backends: chain, transfer: transferred };
}

function transferOf(wish: NonNullable<AgentWish['transfer']> | null): AgentTerms['transfer'] {
  if (wish === null) return null;
  const transfer = { mode: 'cold' as const, hold: 'music' as const, timeout_ms: 30_000, ...wish };
  if (transfer.target.type !== 'phone' || transfer.mode === 'cold') return transfer;
  throw wrong('a telephone can only be handed over to cold', 'transfer.mode');
}

function backendOf(
  wish: NonNullable<AgentWish['backends']>[number],
  index: number,
  before: AgentTerms | undefined,
  dialects: AgentDesk['dialects'],
): BackendTerms {
  const {
    dialect,
    name = dialect,
    url = null,
    model = null,
    voice = null,
    options = {},
    settings = {},
  } = wish;
  const field = (member: string): string => `backends.${index}.${member}`;
  const known = dialects.filter((one) => !LISTENERS.includes(one.name));
  const spoken = known.find((one) => one.name === dialect);
  if (spoken === undefined) {
    throw wrong(`backends speak ${known.map((one) => one.name).join(', ')}`, field('dialect'));
  }
  if (url === null && !PUBLIC.includes(dialect))
    throw wrong(`${dialect} has no address of its own`, field('url'));
  for (const [option, value] of Object.entries(options)) {
    const values = spoken.options.find((one) => one.name === option)?.values;
    if (values?.includes(value) !== true) {
      const why = values === undefined ? `${dialect} has no such option` : `is one of ${values.join(', ')}`;
      throw wrong(why, field(`options.${option}`));
    }
  }
  if (Buffer.byteLength(JSON.stringify(settings)) > SETTINGS_BYTES_MAX) {
    throw wrong('settings are at most 16 KiB', field('settings'));
  }
  // Keys are never shown, so whoever changes the chain cannot repeat them. A key goes only where it went
  // before.
  const same = before?.backends.find(
    (one) => one.name === name && one.dialect === dialect && one.url === url,
  );
  const api_key = wish.api_key === undefined ? (same?.api_key ?? null) : wish.api_key;
  return { name, dialect, url, api_key, model, voice, options, settings };
}

function wrong(message: string, field: string): VoiceError {
  return new VoiceError('invalid_argument', message, { field });
}
