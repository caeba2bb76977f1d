import { Option, type Command } from 'commander';
import { ANSWER_DEFAULTS } from '../../media/tones/answer/answer-settings.ts';
import { DTMF_DEFAULTS } from '../../media/tones/dtmf/dtmf-settings.ts';
import { TONE_DEFAULTS } from '../../media/tones/tone-settings.ts';
import { DETECTOR_NAMES, VOICE_DEFAULTS, type DetectorName } from '../../media/voice-detector.ts';
import { numberIn, wholeIn } from '../number-flags.ts';
import type { AnalysisSettings } from './analysis.ts';

/** What the flags say; those of numbers are named after the settings they change. */
export type TuningFlags = { readonly [name: string]: string | number | boolean | undefined };

type Numbers = { readonly [name: string]: unknown };

/** Settings that are numbers, each with a flag: the prefix, and its name. */
const GROUPS: readonly { readonly prefix: string; readonly defaults: Numbers; readonly what: string }[] = [
  { prefix: 'dtmf', defaults: { ...DTMF_DEFAULTS }, what: 'keys' },
  { prefix: 'beep', defaults: { ...TONE_DEFAULTS.beep }, what: 'beeps' },
  { prefix: 'tone', defaults: { ...TONE_DEFAULTS }, what: 'call progress tones' },
  { prefix: 'answer', defaults: { ...ANSWER_DEFAULTS }, what: 'who answered' },
];

/** Gives a command a flag for every setting of the detectors and the jitter buffer. */
export function addTuningFlags(command: Command): Command {
  command
    .addOption(
      new Option('--vad-detector <name>', 'who hears voices')
        .choices(DETECTOR_NAMES)
        .default(VOICE_DEFAULTS.detector),
    )
    .option('--vad-model <file>', 'the ONNX file of the neural detector')
    .option(
      '--vad-aggressiveness <n>',
      '0 (permissive) to 3 (strict)',
      wholeIn(0, 3),
      VOICE_DEFAULTS.aggressiveness,
    )
    .option(
      '--vad-start-ms <ms>',
      'voice for this long is voice_detected',
      wholeIn(20, 1000),
      VOICE_DEFAULTS.startMs,
    )
    .option(
      '--vad-stop-ms <ms>',
      'quiet for this long is voice_ended',
      wholeIn(20, 5000),
      VOICE_DEFAULTS.stopMs,
    )
    .option(
      '--vad-level-min-dbfs <dB>',
      'anything softer is quiet',
      numberIn(-100, 0),
      VOICE_DEFAULTS.levelMinDbfs,
    )
    .addOption(
      new Option('--jitter-mode <mode>', 'how audio is held')
        .choices(['adaptive', 'fixed'])
        .default('adaptive'),
    )
    .option('--jitter-target-ms <ms>', 'how long it is held, at least', wholeIn(0, 200), 0)
    .option('--jitter-max-ms <ms>', 'how long an adaptive buffer may hold it', wholeIn(0, 200), 200)
    .option('--no-dtmf', 'no keys are listened for')
    .option('--no-tones', 'no tones are listened for')
    .option('--answer', 'tell who answered, human or machine')
    .option('--beep-needs-speech', 'a beep is one only after speech');
  for (const { prefix, defaults, what } of GROUPS) {
    for (const [name, value] of Object.entries(defaults)) {
      if (typeof value !== 'number') continue;
      const flag = `--${prefix}${kebab(name)} <n>`;
      command.option(flag, `${what}: ${words(name)}`, numberIn(-1000, 100_000), value);
    }
  }
  return command;
}

/** The settings that the flags say. */
export function settingsOf(flags: TuningFlags): AnalysisSettings {
  const tones = { ...TONE_DEFAULTS, ...chosen('tone', TONE_DEFAULTS, flags) };
  const needsSpeech = flags['beepNeedsSpeech'] === true;
  return {
    voice: {
      detector: flags['vadDetector'] as DetectorName,
      aggressiveness: Number(flags['vadAggressiveness']),
      startMs: Number(flags['vadStartMs']),
      stopMs: Number(flags['vadStopMs']),
      levelMinDbfs: Number(flags['vadLevelMinDbfs']),
    },
    hearing: {
      ...(flags['dtmf'] !== false && { dtmf: { ...DTMF_DEFAULTS, ...chosen('dtmf', DTMF_DEFAULTS, flags) } }),
      ...(flags['tones'] !== false && {
        tones: {
          ...tones,
          beep: { ...TONE_DEFAULTS.beep, ...chosen('beep', TONE_DEFAULTS.beep, flags), needsSpeech },
        },
      }),
      ...(flags['answer'] === true && {
        answer: { ...ANSWER_DEFAULTS, ...chosen('answer', ANSWER_DEFAULTS, flags) },
      }),
    },
    jitter: {
      mode: flags['jitterMode'] === 'fixed' ? 'fixed' : 'adaptive',
      targetMs: Number(flags['jitterTargetMs']),
      maxMs: Number(flags['jitterMaxMs']),
    },
  };
}

function chosen(prefix: string, defaults: object, flags: TuningFlags): { [name: string]: number } {
  const found: { [name: string]: number } = {};
  for (const [name, value] of Object.entries(defaults)) {
    const flag = flags[`${prefix}${name[0]!.toUpperCase()}${name.slice(1)}`];
    if (typeof value === 'number' && typeof flag === 'number') found[name] = flag;
  }
  return found;
}

function kebab(name: string): string {
  return `-${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function words(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
