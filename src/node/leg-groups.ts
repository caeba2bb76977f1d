import type { LegRole } from '../base/roles.ts';
import { CLIENT_DIALECTS } from '../dialect/client-registry.ts';
import { DIALECTS } from '../dialect/registry.ts';
import type { Leg } from '../leg/leg.ts';
import { newFrameCounters, type FrameCounters } from '../leg/counters.ts';
import { LEG_KINDS, type LegGroup, type LegKind } from '../telemetry/node-metrics.ts';

/** Whoever may be at the other end of a leg, dialling in or dialled, each once. */
export const PROVIDERS: readonly string[] = [
  ...new Set([...DIALECTS, ...CLIENT_DIALECTS].map(({ name }) => name)),
];

/** Legs of one provider and kind, counted together. */
export interface CountedGroup extends LegGroup {
  readonly frames: FrameCounters;
  count: number;
}

/** Every group there can be, made at the start: a label that appears late hides its first increase. */
export class LegGroups {
  /** Of legs that have ended: marks their provider had no room for, and marks it told that nobody awaits. */
  readonly marks = { emulated: 0, stray: 0 };
  readonly all: readonly CountedGroup[];

  constructor(providers: readonly string[]) {
    this.all = providers.flatMap((provider) => LEG_KINDS.map((kind) => newGroup(provider, kind)));
  }

  of(provider: string, role: LegRole): CountedGroup {
    const kind = kindOf(role);
    return this.all.find((group) => group.provider === provider && group.kind === kind) ?? this.all[0]!;
  }

  /** One of its legs has ended. */
  left(group: CountedGroup, { owedMarks }: Pick<Leg, 'owedMarks'>): void {
    group.count--;
    this.marks.emulated += owedMarks.stats.emulatedMarks;
    this.marks.stray += owedMarks.stats.strayMarks;
  }

  get legs(): number {
    return this.all.reduce((sum, { count }) => sum + count, 0);
  }
}

function newGroup(provider: string, kind: LegKind): CountedGroup {
  const group: CountedGroup = {
    provider,
    kind,
    frames: newFrameCounters(),
    count: 0,
    legs: () => group.count,
  };
  return group;
}

/** What is at the other end of a leg of this role. */
export function kindOf(role: LegRole): LegKind {
  if (role === 'caller') return 'telephony';
  return role === 'agent' ? 'ai' : 'human';
}
