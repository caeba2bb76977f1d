import { invariant } from '../../base/errors.ts';
import type { JsonObject } from '../../base/json.ts';
import { API_VERSIONS, type Envelope } from '../../events/envelope.ts';

/** An envelope in the words of some version: what every version has had so far, and what some had. */
export type VersionedEnvelope = JsonObject &
  Pick<Envelope, 'id' | 'type' | 'api_version' | 'created_at' | 'workspace_id' | 'resource' | 'data'>;

interface Step {
  readonly date: (typeof API_VERSIONS)[number];
  /** Turns an envelope of this version into one of the version before it. */
  readonly undo: (envelope: VersionedEnvelope) => VersionedEnvelope;
}

// Newest first: an envelope is written in the newest version and walks down to the one of its endpoint.
const STEPS: readonly Step[] = [
  { date: '2025-11-01', undo: withoutPlace },
  { date: '2025-06-01', undo: (envelope) => envelope },
];

/** An event as the given version of the contract told it. */
export function envelopeIn(version: string, envelope: Envelope): VersionedEnvelope {
  invariant(
    API_VERSIONS.some((known) => known === version),
    `${version} is no version of the contract`,
  );
  let spoken: VersionedEnvelope = { ...envelope };
  for (const { date, undo } of STEPS) {
    if (date === version) break;
    spoken = undo(spoken);
  }
  return spoken.api_version === version ? spoken : { ...spoken, api_version: version };
}

/** Before 2025-11-01 an event said neither in which region it happened nor in which mode. */
function withoutPlace(envelope: VersionedEnvelope): VersionedEnvelope {
  const { region: _region, test_mode: _mode, ...older } = envelope;
  return older;
}
