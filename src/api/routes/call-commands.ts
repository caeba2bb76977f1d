import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Type, type Static } from 'typebox';
import { VoiceError, type Refusal } from '../../base/errors.ts';
import { isObject, type JsonObject } from '../../base/json.ts';
import { readCallCommand, type CallCommand, type CallCommandName } from '../../events/call-commands.ts';
import { answers, ok, Nullable } from '../answers.ts';
import { CALL_COMMAND_ROUTES, LegChange, type CommandRoute } from './call-command-shapes.ts';
import { requireCall } from './calls.ts';
import { ById, type RouteContext } from './route-context.ts';

const ByLeg = Type.Object({
  id: Type.String({ minLength: 1, maxLength: 64 }),
  leg: Type.String({ minLength: 1, maxLength: 64 }),
});
const HungUp = Type.Object({ id: Type.String(), state: Type.Literal('ending') });
const Changed = Type.Object({
  leg_id: Type.String(),
  mode: Type.Optional(Type.String()),
  gain_ratio: Type.Optional(Type.Number()),
  listener_id: Type.Optional(Nullable(Type.String())),
  muted: Type.Optional(Type.Boolean()),
});
const Removed = Type.Object({ leg_id: Type.String() });

const tags = ['Calls'];
const config = { access: { scope: 'calls:write' } } as const;

/** Commands to a live call: answered when the node that owns it has done or refused them. */
export const callCommandRoutes: FastifyPluginAsyncTypebox<RouteContext> = async (app, context) => {
  for (const route of CALL_COMMAND_ROUTES) addRoute(app.withTypeProvider(), context, route);

  app.route({
    method: 'POST',
    url: '/calls/:id/hangup',
    config,
    schema: { summary: 'Hang up', tags, params: ById, response: answers(HungUp) },
    handler: async (request) => {
      await ask(request, context, request.params.id, { name: 'hang_up' });
      return ok(request, { id: request.params.id, state: 'ending' as const });
    },
  });

  app.route({
    method: 'PATCH',
    url: '/calls/:id/legs/:leg',
    config,
    schema: {
      summary: 'Change how a leg takes part: a supervisor’s mode, its loudness, whether it is muted',
      tags,
      params: ByLeg,
      body: LegChange,
      response: answers(Changed),
    },
    handler: async (request) => {
      const { id, leg } = request.params;
      for (const command of changesOf(leg, request.body)) await ask(request, context, id, command);
      return ok(request, { leg_id: leg, ...request.body });
    },
  });

  app.route({
    method: 'DELETE',
    url: '/calls/:id/legs/:leg',
    config,
    schema: { summary: 'Take a leg out of the call', tags, params: ByLeg, response: answers(Removed) },
    handler: async (request) => {
      const { id, leg } = request.params;
      await ask(request, context, id, { name: 'remove_leg', leg_id: leg });
      return ok(request, { leg_id: leg });
    },
  });
};

function addRoute(
  app: FastifyInstance,
  context: RouteContext,
  { path, name, summary, body, answer }: CommandRoute,
): void {
  app.route<{ Params: Static<typeof ById> }>({
    method: 'POST',
    url: `/calls/:id/${path}`,
    config,
    schema: { summary, tags, params: ById, body, response: answers(answer) },
    handler: async (request) =>
      ok(request, await ask(request, context, request.params.id, commandOf(name, request.body))),
  });
}

/** Sends a command to the owner of the call; what it says is the answer, what it refuses is thrown. */
export async function ask(
  request: FastifyRequest,
  { ports, nodes }: Pick<RouteContext, 'ports' | 'nodes'>,
  callId: string,
  command: CallCommand,
): Promise<JsonObject> {
  const call = await requireCall(request, callId, ports.calls);
  if (call.state === 'ended') throw new VoiceError('failed_precondition', 'this call has ended');
  const { id: call_id, workspace_id } = call;
  const result = await nodes.command(call, { name: 'call_command', call_id, workspace_id, command });
  if (!result.ok) throw refusalOf(result);
  return isObject(result.value) ? result.value : {};
}

/** The command, out of a body that its schema let pass; what only the command knows is refused here. */
export function commandOf(name: CallCommandName, body: unknown): CallCommand {
  const command = readCallCommand(name, isObject(body) ? body : {});
  if (isRefusal(command)) throw new VoiceError(command.fault, command.detail);
  return command;
}

function changesOf(leg_id: string, change: Static<typeof LegChange>): readonly CallCommand[] {
  const { mode, gain_ratio, listener_id = null, muted } = change;
  if (listener_id !== null && gain_ratio === undefined) {
    throw new VoiceError('invalid_argument', 'goes with a gain_ratio', { field: 'listener_id' });
  }
  return [
    ...(mode === undefined ? [] : [commandOf('supervise', { leg_id, mode })]),
    ...(gain_ratio === undefined ? [] : [commandOf('set_gain', { leg_id, gain_ratio, listener_id })]),
    ...(muted === undefined ? [] : [commandOf('mute', { leg_id, on: muted })]),
  ];
}

// The call was there a moment ago: a node that does not know it any more has just seen it end.
function refusalOf({ fault, detail }: { fault: VoiceError['code']; detail: string }): VoiceError {
  if (fault === 'call_not_found') return new VoiceError('failed_precondition', 'this call has ended');
  return new VoiceError(fault, detail);
}

function isRefusal(command: CallCommand | Refusal): command is Refusal {
  return 'type' in command && command.type === 'refusal';
}
