import { Readable } from 'node:stream';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type, type Static } from 'typebox';
import { VoiceError } from '../../base/errors.ts';
import { answers, Deleted, Nullable, ok } from '../answers.ts';
import { keyOf } from '../door/door.ts';
import { okPage, pageQuery, PAGING } from '../lists.ts';
import { ById, Reference, type RouteContext } from '../routes/route-context.ts';
import { rangeOf } from './byte-range.ts';
import type { RecordedSound, RecordingDesk, StoredRecording } from './recording-desk.ts';

const Recording = Type.Object({
  id: Type.String(),
  call_id: Type.String(),
  state: Type.String({ enum: ['recording', 'ready', 'failed'] }),
  format: Type.String({ enum: ['wav_g711', 'wav_l16', 'ogg_opus'] }),
  channels: Type.Literal(2),
  sample_rate_hz: Type.Integer(),
  started_at: Type.String(),
  duration_ms: Nullable(Type.Integer()),
  bytes: Nullable(Type.Integer()),
  sha256: Nullable(Type.String({ description: 'of the file as it is downloaded, hex' })),
  reason: Nullable(Type.String({ description: 'why it broke off, or `interrupted` where it was mended' })),
  url: Nullable(Type.String({ description: 'where it can be fetched; null while it is being recorded' })),
  test_mode: Type.Boolean(),
});

const Filters = Type.Object(
  { ...PAGING, call_id: Type.Optional(Reference) },
  { additionalProperties: false },
);

const tags = ['Recordings'];
const reads = { access: { scope: 'calls:read' } } as const;

/** What was recorded of calls: listed, read, fetched, deleted. */
export const recordingRoutes: FastifyPluginAsyncTypebox<RouteContext> = async (app, context) => {
  const { recordings, settings } = context;
  const view = viewer(settings.publicUrl);

  app.route({
    method: 'GET',
    url: '/recordings',
    config: reads,
    schema: {
      summary: 'List recordings, newest first',
      tags,
      querystring: Filters,
      response: answers(Type.Array(Recording)),
    },
    handler: async (request) => {
      const { call_id: callId } = request.query;
      const query = { ...pageQuery(request, request.query), ...(callId !== undefined && { callId }) };
      return okPage(request, query, await recordings.list(query), view);
    },
  });

  app.route({
    method: 'GET',
    url: '/recordings/:id',
    config: reads,
    schema: { summary: 'Read one recording', tags, params: ById, response: answers(Recording) },
    handler: async (request) =>
      ok(request, view(await requireRecording(request, request.params.id, recordings))),
  });

  app.route({
    method: 'GET',
    url: '/recordings/:id/content',
    config: reads,
    schema: {
      summary: 'Fetch the sound: WAV or Ogg Opus, the caller on the left; `Range` fetches a part of it',
      tags,
      params: ById,
      produces: ['audio/wav', 'audio/ogg'],
    },
    handler: async (request, reply) => {
      const recording = await requireRecording(request, request.params.id, recordings);
      if (recording.state === 'recording') {
        throw new VoiceError('failed_precondition', 'it is still being recorded');
      }
      return sendSound(request, reply, recording, await recordings.open(recording));
    },
  });

  app.route({
    method: 'DELETE',
    url: '/recordings/:id',
    config: { access: { scope: 'calls:write' } },
    schema: { summary: 'Delete a recording for good', tags, params: ById, response: answers(Deleted) },
    handler: async (request) => {
      const recording = await requireRecording(request, request.params.id, recordings);
      if (recording.state === 'recording') {
        throw new VoiceError('failed_precondition', 'it is still being recorded: stop it first');
      }
      await recordings.remove(recording);
      return ok(request, { id: recording.id, deleted: true as const });
    },
  });
};

async function requireRecording(
  request: FastifyRequest,
  id: string,
  recordings: RecordingDesk,
): Promise<StoredRecording> {
  const recording = await recordings.get(keyOf(request), id);
  if (recording !== undefined) return recording;
  throw new VoiceError('not_found', `there is no recording ${id}`);
}

async function sendSound(
  request: FastifyRequest,
  reply: FastifyReply,
  recording: StoredRecording,
  sound: RecordedSound,
): Promise<FastifyReply> {
  const range = rangeOf(request.headers.range, sound.bytes);
  const isOgg = recording.format === 'ogg_opus';
  reply.header('accept-ranges', 'bytes').header('cache-control', 'private, no-store');
  reply.header('content-disposition', `attachment; filename="${recording.id}.${isOgg ? 'ogg' : 'wav'}"`);
  if (range.type === 'unsatisfiable') {
    await sound.close();
    return reply.code(416).header('content-range', `bytes */${sound.bytes}`).send();
  }
  const { from, to } = range.type === 'part' ? range : { from: 0, to: sound.bytes };
  if (range.type === 'part') {
    reply.code(206).header('content-range', `bytes ${from}-${to - 1}/${sound.bytes}`);
  }
  reply.type(isOgg ? 'audio/ogg' : 'audio/wav').header('content-length', to - from);
  return reply.send(Readable.from(sound.read(from, to)));
}

function viewer(publicUrl: string): (recording: StoredRecording) => Static<typeof Recording> {
  return (recording) => ({
    id: recording.id,
    call_id: recording.callId,
    state: recording.state,
    format: recording.format,
    channels: 2,
    sample_rate_hz: recording.sampleRateHz,
    started_at: recording.startedAt,
    duration_ms: recording.durationMs,
    bytes: recording.bytes,
    sha256: recording.sha256,
    reason: recording.reason,
    url: recording.state === 'recording' ? null : `${publicUrl}/api/v1/recordings/${recording.id}/content`,
    test_mode: recording.testMode,
  });
}
