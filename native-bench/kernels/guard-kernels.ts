import { EchoGuard } from '../../src/media/echo-guard/echo-guard.ts';
import { FRAME_SAMPLES, type Speech } from '../load/speech.ts';
import type { Kernel } from './measure.ts';

/** Frames from what is played to where its echo comes back. */
const DELAY_FRAMES = 8;

/** Callers told from echoes: what every frame costs, an echo that stays, and a voice that is none. */
export function guardKernels({ samples }: Speech): Kernel[] {
  const count = Math.floor(samples.length / FRAME_SAMPLES);
  const frameAt = (of: Int16Array, index: number): Int16Array =>
    of.subarray((index % count) * FRAME_SAMPLES, ((index % count) + 1) * FRAME_SAMPLES);
  const said = Array.from({ length: count }, (_, index) => frameAt(samples, index));
  const softer = samples.map((sample) => sample / 10);
  const echoes = Array.from({ length: count }, (_, index) => frameAt(softer, index + count - DELAY_FRAMES));
  const others = Array.from({ length: count }, (_, index) => frameAt(softer.toReversed(), index));
  const [plain, echo, own] = [new EchoGuard(8000), new EchoGuard(8000), new EchoGuard(8000)];
  const pass = (guard: EchoGuard, heard: readonly Int16Array[], i: number): void => {
    guard.played(said[i % count]!);
    guard.heard(heard[i % count]!);
  };
  return [
    { name: 'echo guard, a frame each way', run: (i) => pass(plain, echoes, i) },
    {
      name: 'echo guard, judging an echo',
      run: (i) => {
        pass(echo, echoes, i);
        echo.isEcho();
      },
    },
    {
      name: 'echo guard, judging a soft voice',
      run: (i) => {
        pass(own, others, i);
        own.isEcho();
      },
    },
  ];
}
