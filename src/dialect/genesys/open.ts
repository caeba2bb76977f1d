import { isObject, type JsonObject } from '../../base/json.ts';
import { flatParametersOf } from '../binary-media/flat-parameters.ts';
import { nameOf, type Parameters } from '../fields.ts';

/**
 * What `open` says of the conversation: the numbers, the variables of the flow (`inputVariables`), the
 * integration's own configuration (`customConfig`), and the session that it continues after a `reconnect`.
 */
export function parametersOfOpen(parameters: JsonObject): Parameters {
  const { participant, customConfig, inputVariables, organizationId, language, continuedSessions } =
    parameters;
  const { ani, aniName, dnis, id } = isObject(participant) ? participant : {};
  return flatParametersOf({
    organization_id: nameOf(organizationId) ?? null,
    language: nameOf(language) ?? null,
    participant_id: nameOf(id) ?? null,
    from_name: nameOf(aniName) ?? null,
    from: nameOf(ani) ?? null,
    to: nameOf(dnis) ?? null,
    ...(isObject(customConfig) ? customConfig : {}),
    ...(isObject(inputVariables) ? inputVariables : {}),
    ...continuedOf(continuedSessions),
  });
}

/** The last of them is the one that ended just now; its numbers tell what either side had heard. */
function continuedOf(sessions: unknown): JsonObject {
  const last: unknown = Array.isArray(sessions) ? sessions.at(-1) : undefined;
  if (!isObject(last)) return {};
  return {
    continued_session_id: nameOf(last['id']) ?? null,
    continued_serverseq: nameOf(last['serverseq']) ?? null,
    continued_clientseq: nameOf(last['clientseq']) ?? null,
  };
}
