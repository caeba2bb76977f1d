import { Type, type TSchema } from 'typebox';
import type { CallCommandName } from '../../events/call-commands.ts';
import { Nullable } from '../answers.ts';

/** One command as a POST: its path behind the call, what it takes and what it answers. */
export interface CommandRoute<B extends TSchema = TSchema, A extends TSchema = TSchema> {
  readonly path: string;
  readonly name: CallCommandName;
  readonly summary: string;
  readonly body: B;
  readonly answer: A;
}

const LegId = Type.String({ minLength: 1, maxLength: 64 });
const OptionalLeg = Type.Optional(Nullable(LegId));
const Text = (description: string) => Type.String({ minLength: 1, maxLength: 1024, description });
const GAIN_RATIO = { minimum: 0, maximum: 4, description: '1 is as it is, 4 is 12 dB louder' };
const Mode = Type.String({ enum: ['monitor', 'whisper', 'barge', 'takeover'] });
const Criteria = Type.Record(Type.String(), Type.Unknown());

/** An object of these members and no other. */
function body<T extends Parameters<typeof Type.Object>[0]>(members: T) {
  return Type.Object(members, { additionalProperties: false });
}

/** What may be changed of a leg. */
export const LegChange = Type.Object(
  {
    mode: Type.Optional(Mode),
    gain_ratio: Type.Optional(Type.Number(GAIN_RATIO)),
    listener_id: Type.Optional(
      Nullable(Type.String({ description: 'the one leg that is to hear it so; null: everybody' })),
    ),
    muted: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false, minProperties: 1 },
);

const Segment = body({
  speaker: Text('who said it'),
  text: Type.String({ minLength: 1, maxLength: 8192 }),
  start_ms: Type.Optional(Nullable(Type.Number({ minimum: 0 }))),
  end_ms: Type.Optional(Nullable(Type.Number({ minimum: 0 }))),
});

/** How far the words that were said to a leg ahead of time, and the sounds that play there, have come. */
const Played = Type.Object({
  leg_id: Type.String(),
  played_ms: Type.Number({ description: 'of the speech that is being heard' }),
  unplayed_ms: Type.Number(),
  playbacks: Type.Array(Type.Object({ playback_id: Type.String(), played_ms: Type.Number() })),
});

/** Commands that are a POST with a body and an answer of its own. */
export const CALL_COMMAND_ROUTES: readonly CommandRoute[] = [
  {
    path: 'hold',
    name: 'hold',
    summary: 'Put the caller on hold, or take it back',
    body: body({
      on: Type.Boolean(),
      source: Type.Optional(Type.String({ enum: ['music', 'silence'], default: 'music' })),
    }),
    answer: Type.Object({ on: Type.Boolean(), source: Nullable(Type.String()) }),
  },
  {
    path: 'mute',
    name: 'mute',
    summary: 'Mute a leg: nobody hears it',
    body: body({ leg_id: LegId, on: Type.Boolean() }),
    answer: Type.Object({ leg_id: Type.String(), on: Type.Boolean() }),
  },
  {
    path: 'play',
    name: 'play',
    summary: 'Play a sound to one leg, or to everybody; `playback_finished` tells its end',
    body: body({
      url: Text('`https://…`, `file:name` of the operator’s sounds, `tone:ringback`, `tone:350+440`'),
      leg_id: OptionalLeg,
      loop: Type.Optional(Type.Boolean({ default: false })),
      gain_ratio: Type.Optional(Type.Number(GAIN_RATIO)),
    }),
    answer: Type.Object({ playback_id: Type.String(), leg_ids: Type.Array(Type.String()) }),
  },
  {
    path: 'clear',
    name: 'clear',
    summary: 'Drop what one leg, or everybody, was to hear and has not heard yet',
    body: body({ leg_id: OptionalLeg }),
    answer: Type.Object({
      cleared: Type.Array(
        Type.Object({ leg_id: Type.String(), played_ms: Type.Number(), unplayed_ms: Type.Number() }),
      ),
    }),
  },
  {
    path: 'pause',
    name: 'pause',
    summary: 'Let what one leg, or everybody, was to hear wait, until `resume` or `clear`',
    body: body({ leg_id: OptionalLeg }),
    answer: Type.Object({ paused: Type.Array(Played) }),
  },
  {
    path: 'resume',
    name: 'resume',
    summary: 'Let what was paused go on with the very frame it was about to play',
    body: body({ leg_id: OptionalLeg }),
    answer: Type.Object({ resumed: Type.Array(Played) }),
  },
  {
    path: 'dtmf',
    name: 'dtmf',
    summary: 'Press keys towards a leg; without one, towards the caller’s line',
    body: body({ digits: Type.String({ pattern: '^[0-9*#A-Da-d]{1,64}$' }), leg_id: OptionalLeg }),
    answer: Type.Object({
      leg_id: Type.String(),
      digits: Type.String(),
      source: Type.String({ enum: ['out_of_band', 'in_band'] }),
    }),
  },
  {
    path: 'legs',
    name: 'invite',
    summary: 'Invite somebody: where to join by `omnivoice.v1`, and the token that opens the door there once',
    body: body({
      role: Type.String({ enum: ['human', 'supervisor', 'agent'] }),
      mode: Type.Optional(Mode),
    }),
    answer: Type.Object({
      role: Type.String(),
      mode: Nullable(Type.String()),
      ws_url: Type.String(),
      token: Type.String({ description: 'good for one handshake within 5 minutes' }),
      expires_at: Type.String(),
    }),
  },
  {
    path: 'transfer',
    name: 'transfer',
    summary: 'Transfer the telephone call by the provider’s own means',
    body: body({ to: Text('a number, or what the provider takes for one') }),
    answer: Type.Object({ to: Type.String() }),
  },
  {
    path: 'record',
    name: 'record',
    summary: 'Record the call: the caller on the left, what it hears on the right; or pause, resume, stop',
    body: body({ action: Type.String({ enum: ['start', 'pause', 'resume', 'stop'] }) }),
    answer: Type.Object({
      recording_id: Type.String(),
      state: Type.String({ enum: ['recording', 'paused', 'stopped'] }),
    }),
  },
  {
    path: 'fork',
    name: 'fork',
    summary: 'Copy a leg’s sound to a WebSocket: speech recognition, analytics',
    body: body({
      url: Type.Optional(Text('`wss://…`; Deepgram has an address of its own')),
      leg_id: OptionalLeg,
      gate: Type.Optional(Type.String({ enum: ['none', 'speech'], default: 'none' })),
      tracks: Type.Optional(Type.String({ enum: ['inbound', 'outbound', 'both'], default: 'inbound' })),
      protocol: Type.Optional(Type.String({ enum: ['raw', 'native', 'deepgram-stt'], default: 'raw' })),
      codec: Type.Optional(Type.String({ enum: ['l16', 'pcmu'], default: 'l16' })),
      api_key: Type.Optional(Text('shown to the other end, and to nobody else')),
      model: Type.Optional(Text('of a recogniser')),
      language: Type.Optional(Text('of a recogniser')),
    }),
    answer: Type.Object({ fork_id: Type.String(), leg_id: Type.String() }),
  },
  {
    path: 'fork/stop',
    name: 'stop_fork',
    summary: 'End a fork',
    body: body({ fork_id: LegId }),
    answer: Type.Object({ fork_id: Type.String() }),
  },
  {
    path: 'disposition',
    name: 'set_disposition',
    summary: 'Say what became of the call; the last word stands',
    body: body({ disposition: Text('in your own words'), by: Type.Optional(Text('who says so')) }),
    answer: Type.Object({ disposition: Type.String(), by: Type.String() }),
  },
  {
    path: 'qualification',
    name: 'qualify',
    summary: 'Score the caller; `qualification_met` tells when the score passes its threshold',
    body: body({
      score: Type.Number({ minimum: -1_000_000, maximum: 1_000_000 }),
      threshold: Type.Optional(Type.Number({ minimum: -1_000_000, maximum: 1_000_000 })),
      criteria: Type.Optional(Criteria),
    }),
    answer: Type.Object({
      score: Type.Number(),
      threshold: Nullable(Type.Number()),
      met: Nullable(Type.Boolean()),
    }),
  },
  {
    path: 'transcript',
    name: 'add_transcript',
    summary: 'Add to the transcript what somebody else has heard',
    body: body({ segments: Type.Array(Segment, { minItems: 1, maxItems: 500 }) }),
    answer: Type.Object({ segments: Type.Integer() }),
  },
];
