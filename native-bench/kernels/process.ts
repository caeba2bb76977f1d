/*
 * All kernels in a process of its own, started with a young generation so large that nothing is collected
 * while bytes are counted. Prints one JSON object.
 */
import { FRAME_SAMPLES, readSpeech, type Speech } from '../load/speech.ts';
import { callKernels } from './call-kernels.ts';
import { codecKernels } from './codec-kernels.ts';
import { concealKernels } from './conceal-kernels.ts';
import { guardKernels } from './guard-kernels.ts';
import { FULL_EFFORT, measure, SMOKE_EFFORT, type Kernel } from './measure.ts';
import { mediaKernels } from './media-kernels.ts';
import { mixKernels } from './mix-kernels.ts';
import { openPipeline, type Pipeline } from './pipeline.ts';
import { toneKernels } from './tone-kernels.ts';
import { mediaMessages, wireKernels } from './wire-kernels.ts';

const CHECKED_FRAMES = 500;
const FIRST_COUNTER = 100_000;

const effort = process.argv.includes('--smoke') ? SMOKE_EFFORT : FULL_EFFORT;
const speech = readSpeech();
const failures: string[] = [];

const kernels = [
  ...wireKernels(speech),
  ...(await mediaKernels(speech)),
  ...(await codecKernels(speech)),
  ...concealKernels(speech),
  ...toneKernels(speech),
  ...mixKernels(speech),
  ...guardKernels(speech),
  ...(await callKernels(speech)),
  ...(await pipelineKernels(speech)),
];
const measured = kernels.map((kernel) => measure(kernel, effort));
process.stdout.write(JSON.stringify({ measured, failures }));

async function pipelineKernels(speech: Speech): Promise<Kernel[]> {
  const messages = mediaMessages(speech, FIRST_COUNTER);
  const silence = Buffer.from(Buffer.alloc(FRAME_SAMPLES, 0xff).toString('base64'));
  const quiet = mediaMessages({ ...speech, payloads: [silence] }, FIRST_COUNTER);
  const one = await openPipeline(messages, 1);
  const many = await openPipeline(messages, 300);
  const silent = await openPipeline(quiet, 1);
  const baseline = await openPipeline(messages, 1, { detector: 'fvad' });
  const all = await openPipeline(messages, 1, { hearsAll: true });
  const clocked = await openPipeline(messages, 1, { isClocked: true });
  for (const pipeline of [one, baseline, all]) checkEcho(pipeline, speech);
  return [
    { name: 'pipeline, WebRTC detector', run: baseline.turn, peer: jsonEcho(messages) },
    { name: 'pipeline, keys and tones too', run: all.turn, peer: jsonEcho(messages) },
    { name: 'pipeline, adaptive clock', run: clocked.turn, peer: jsonEcho(messages) },
    { name: 'pipeline, 1 call, speech', run: one.turn, peer: jsonEcho(messages) },
    { name: 'pipeline, 300 calls, speech', run: many.turn, peer: jsonEcho(messages) },
    { name: 'pipeline, 1 call, silence', run: silent.turn, peer: jsonEcho(quiet) },
  ];
}

/** What the plainest of servers does to the same message. */
function jsonEcho(messages: readonly Buffer[]): NonNullable<Kernel['peer']> {
  return {
    name: 'JSON.parse + stringify',
    run: (i) => {
      const { event, streamSid, media } = JSON.parse(messages[i % messages.length]!.toString()) as {
        readonly event: string;
        readonly streamSid: string;
        readonly media: { readonly payload: string };
      };
      Buffer.from(JSON.stringify({ event, streamSid, media: { payload: media.payload } }));
    },
  };
}

/** A fast pipeline that is wrong measures nothing. */
function checkEcho(pipeline: Pipeline, { payloads }: Speech): void {
  let wrong = 0;
  for (let index = 0; index < CHECKED_FRAMES; index++) {
    pipeline.turn(index);
    const sent = Buffer.from(pipeline.lastSent(0)).toString('latin1');
    if (!sent.includes(payloads[index % payloads.length]!.toString('latin1'))) wrong++;
  }
  if (wrong > 0) failures.push(`${wrong} of ${CHECKED_FRAMES} frames came back other than they went in`);
  if (pipeline.events() === 0) failures.push('the pipeline had nothing to tell of speech');
}
