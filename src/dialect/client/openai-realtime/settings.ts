import type { JsonObject } from '../../../base/json.ts';
import type { AudioFormat } from '../../../media/format.ts';
import { l16, PCMA_8K, PCMU_8K } from '../../../media/format.ts';
import { optionOf, type DialectOption } from '../../capabilities.ts';
import type { ClientOptions, SpokenTurn } from '../../client.ts';
import { overlay, withoutNulls } from '../overlay.ts';

/** Which of the two generations of its words is spoken. */
export const API_VERSION: DialectOption = {
  name: 'api_version',
  values: ['ga', 'beta'],
  fallback: 'ga',
  meaning:
    'The generation of event names and session settings; `beta` also sends `OpenAI-Beta: realtime=v1`.',
};

/** Who says when a turn ends. */
export const TURN_DETECTION: DialectOption = {
  name: 'turn_detection',
  values: ['server_vad', 'semantic_vad', 'none'],
  fallback: 'server_vad',
  meaning: 'How the backend finds the end of what the caller says; `none` leaves it to commands of yours.',
};

/** Where the key is shown. */
export const KEY_HEADER: DialectOption = {
  name: 'key_header',
  values: ['authorization', 'api-key'],
  fallback: 'authorization',
  meaning: 'The header of the key: `Authorization: Bearer`, or `api-key` as Azure OpenAI has it.',
};

/** What it speaks, most wanted first: a telephone's own codecs need no conversion. */
export const OPENAI_FORMATS: readonly AudioFormat[] = [PCMU_8K, PCMA_8K, l16(24_000)];

const TRANSCRIBER = 'gpt-4o-mini-transcribe';
const BETA_FORMATS: { readonly [codec: string]: string } = {
  pcmu: 'g711_ulaw',
  pcma: 'g711_alaw',
  l16: 'pcm16',
};

/** The `session` of our `session.update`. */
export function sessionSettings(options: ClientOptions, format: AudioFormat): JsonObject {
  const own = isBeta(options) ? betaSettings(options, format) : gaSettings(options, format);
  return overlay(own, options.settings);
}

function gaSettings(options: ClientOptions, format: AudioFormat): JsonObject {
  const { instructions, voice, tools, language } = options;
  const name = formatWords(format);
  const input = {
    format: name,
    turn_detection: turnDetection(options),
    transcription: withoutNulls({ model: TRANSCRIBER, language }),
  };
  const output = withoutNulls({ format: name, voice });
  return withoutNulls({
    type: 'realtime',
    instructions,
    output_modalities: ['audio'],
    audio: { input, output },
    tools: tools.map((tool) => ({ type: 'function', ...tool })),
  });
}

function betaSettings(options: ClientOptions, format: AudioFormat): JsonObject {
  const { instructions, voice, tools, language } = options;
  const name = BETA_FORMATS[format.codec];
  return {
    ...withoutNulls({ instructions, voice }),
    modalities: ['text', 'audio'],
    input_audio_format: name,
    output_audio_format: name,
    input_audio_transcription: withoutNulls({ model: TRANSCRIBER, language }),
    turn_detection: turnDetection(options),
    tools: tools.map((tool) => ({ type: 'function', ...tool })),
  };
}

function turnDetection({ options }: ClientOptions): JsonObject | null {
  const type = optionOf(TURN_DETECTION, options);
  return type === 'none' ? null : { type, create_response: true, interrupt_response: true };
}

export function isBeta({ options }: ClientOptions): boolean {
  return optionOf(API_VERSION, options) === 'beta';
}

/** `{"type":"audio/pcmu"}`, and 16-bit samples at 24 kHz, the only rate it has. */
function formatWords({ codec, sampleRateHz }: AudioFormat): JsonObject {
  if (codec === 'l16') return { type: 'audio/pcm', rate: sampleRateHz };
  return { type: codec === 'pcma' ? 'audio/pcma' : 'audio/pcmu' };
}

/** What was said before, as an item of the conversation. */
export function spokenItem({ speaker, text }: SpokenTurn, options: ClientOptions): JsonObject {
  if (speaker === 'caller') return messageItem(text);
  const type = isBeta(options) ? 'text' : 'output_text';
  return { type: 'message', role: 'assistant', content: [{ type, text }] };
}

/** Text that the model reads as the caller's side of the conversation. */
export function messageItem(text: string): JsonObject {
  return { type: 'message', role: 'user', content: [{ type: 'input_text', text }] };
}

/** Asks for the first words of the agent, word for word. */
export function greetingResponse(greeting: string): JsonObject {
  return { instructions: `Say exactly this and nothing else: ${JSON.stringify(greeting)}` };
}
