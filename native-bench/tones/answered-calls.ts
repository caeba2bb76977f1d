import { ratioOf } from '../vad/levels.ts';
import { Dice, seedOf } from '../vad/dice.ts';
import { said } from './said.ts';

export const CALL_RATE_HZ = 8000;

/** A call from its answer on, and who took it. */
export interface AnsweredCall {
  readonly name: string;
  readonly who: 'human' | 'machine';
  readonly samples: Int16Array;
  /** Where a beep stops; absent where there is none. */
  readonly beepEndsMs?: number;
}

const HELLOS: Readonly<Record<string, readonly string[]>> = {
  'en-us': ['Hello?', 'Hello, this is John.', 'Yes?', 'Smith speaking.', 'Hi, Anna here.', 'Good morning.'],
  'en-gb': ['Hello?', 'Hello, who is it?', 'Yeah, hello?', 'Sarah Jones, hello?'],
  de: ['Hallo?', 'Müller.', 'Ja, bitte?', 'Guten Tag, Schmidt.'],
  fr: ['Allô ?', 'Oui, bonjour ?', 'Allô, oui ?'],
  es: ['¿Diga?', '¿Sí?', 'Hola, ¿quién es?', '¿Bueno?'],
  it: ['Pronto?', 'Sì, pronto?'],
};
const GREETINGS: Readonly<Record<string, readonly string[]>> = {
  'en-us': [
    'Hi, you have reached the Miller family. We cannot come to the phone right now. Please leave a message.',
    'The person you are calling is not available. At the tone, please record your message.',
    'Your call has been forwarded to an automatic voice system. Please leave a message after the beep.',
    "Hey, it's Dave. Leave a message and I'll call you back.",
    'Thank you for calling Green Valley Dental. Our office is closed. Our hours are nine to five.',
  ],
  'en-gb': [
    'Welcome to the messaging service. Please speak after the tone.',
    'Sorry, I am not able to take your call at the moment. Please leave your name and number.',
  ],
  de: [
    'Guten Tag. Sie sind mit dem Anschluss von Familie Schmidt verbunden. Bitte sprechen Sie nach dem Ton.',
    'Der gewünschte Gesprächspartner ist zur Zeit nicht erreichbar. Bitte hinterlassen Sie eine Nachricht.',
  ],
  fr: ['Bonjour, vous êtes bien sur la messagerie de Paul. Laissez un message après le bip sonore.'],
  es: ['Ha llamado al buzón de voz de García. Por favor, deje su mensaje después de la señal.'],
  it: ['Risponde la segreteria telefonica. Lasciate un messaggio dopo il segnale acustico.'],
};

/** A call number of a seed is the same on every machine; every other one is taken by a machine. */
export function answeredCall(number: number, seed: number): AnsweredCall {
  const dice = new Dice(seedOf('answered', seed, number));
  const isHuman = number % 2 === 0;
  const language = dice.pick(Object.keys(isHuman ? HELLOS : GREETINGS));
  const text = dice.pick((isHuman ? HELLOS : GREETINGS)[language]!);
  const voice = `${language}${dice.pick(['', '+m3', '+f2', '+f4', '+m7'])}`;
  const wordsPerMinute = dice.pick(isHuman ? [140, 170, 200] : [140, 160, 180]);
  const pitch = dice.pick([30, 50, 70]);
  const spoken = said({ text, voice, wordsPerMinute, pitch });
  // The hardest machines say hello first, as people do.
  const opening = said({ text: HELLOS[language]![0]!, voice, wordsPerMinute, pitch });
  const sentence = isHuman || dice.next() < 0.8 ? spoken : joined(opening, dice.between(300, 1300), spoken);
  const leadMs = Math.round(isHuman ? dice.between(150, 1500) : dice.between(100, 2200));
  const sound = new Float32Array((14_000 * CALL_RATE_HZ) / 1000 + sentence.length);
  const from = (leadMs * CALL_RATE_HZ) / 1000;
  sound.set(sentence, from);
  const endMs = leadMs + (1000 * sentence.length) / CALL_RATE_HZ;
  const beepEndsMs = isHuman || dice.next() < 0.2 ? undefined : addBeep(sound, endMs, dice);
  // People who hear nothing ask again.
  if (isHuman && dice.next() < 0.3)
    sound.set(sentence, from + sentence.length + 8 * Math.round(dice.between(1200, 2500)));
  const call = {
    name: `${number}: ${text}`,
    who: isHuman ? 'human' : 'machine',
    samples: finished(sound, dice),
  } as const;
  return beepEndsMs === undefined ? call : { ...call, beepEndsMs };
}

function joined(first: Float32Array, pauseMs: number, second: Float32Array): Float32Array {
  const from = first.length + Math.round((pauseMs * CALL_RATE_HZ) / 1000);
  const both = new Float32Array(from + second.length);
  both.set(first);
  both.set(second, from);
  return both;
}

/** Beeps of machines: 440 to 2000 Hz, 0.15 to 1 s, a moment after the last word. */
function addBeep(sound: Float32Array, endMs: number, dice: Dice): number {
  const fromMs = endMs + dice.between(150, 1500);
  const durationMs = dice.between(150, 1000);
  const step = (2 * Math.PI * dice.pick([440, 600, 800, 950, 1000, 1209, 1400, 1700, 2000])) / CALL_RATE_HZ;
  const amplitude = ratioOf(dice.between(-30, -12));
  const first = Math.round((fromMs * CALL_RATE_HZ) / 1000);
  const count = Math.round((durationMs * CALL_RATE_HZ) / 1000);
  for (let i = 0; i < count; i++) sound[first + i]! += amplitude * Math.sin(step * i);
  return fromMs + durationMs;
}

/** As loud as it happens to be, on a line that hisses. */
function finished(sound: Float32Array, dice: Dice): Int16Array {
  const gain = ratioOf(dice.between(-8, 8));
  const noise = ratioOf(dice.between(-66, -50));
  return Int16Array.from(sound, (sample) =>
    Math.max(-32_768, Math.min(32_767, Math.round(32_768 * (gain * sample + noise * dice.gauss())))),
  );
}
