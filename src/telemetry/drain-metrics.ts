import type { Registry } from 'prom-client';
import { readAtScrape, type Sample } from './scrape.ts';

/** What a node counts while it leaves, and of the last words of lines whose call went ahead. */
export interface DrainFigures {
  /** Calls whose lines were told to go elsewhere, and told again. */
  readonly told: { readonly first: number; readonly again: number };
  /** Owners of calls whose sockets are here, told that the node leaves, and told again. */
  readonly ownersTold: { readonly first: number; readonly again: number };
  /** Calls whose lines are all at other nodes, one of which was told to come for the call. */
  readonly fetched: number;
  /** Legs called home from a node that leaves: in their protocol's words, or by orders to their provider. */
  readonly calledHome: {
    readonly told: number;
    readonly accepted: number;
    readonly refused: number;
    readonly skipped: number;
  };
  /** A call's turn came, and no node could take it. */
  readonly withoutPlace: number;
  /** Orders to providers, by what became of them. */
  readonly providers: { readonly accepted: number; readonly refused: number; readonly skipped: number };
  /** Calls that were ended because time was up. */
  readonly cutOff: number;
  /** Nothing was dialled for a handover, because the node leaves. */
  readonly dialsRefused: number;
  /** Messages of old lines, by what became of them. */
  readonly tails: {
    readonly carried: number;
    readonly heard: number;
    readonly dropped: number;
    readonly waiting_dropped: number;
  };
  /** Old lines that were not waited for to their end, or that were too many. */
  readonly tailsCut: number;
}

/** Adds them to a node's figures. */
export function addDrain(registry: Registry, read: () => DrainFigures): void {
  const add = (name: string, help: string, values: (figures: DrainFigures) => Sample[]): void =>
    readAtScrape(registry, { name, help, type: 'counter', read: () => values(read()) });
  const one = (value: number): Sample[] => [{ labels: {}, value }];
  const by = (label: string, counts: { readonly [name: string]: number }): Sample[] =>
    Object.entries(counts).map(([name, value]) => ({ labels: { [label]: name }, value }));
  add('drain_told_total', 'Calls told to go to another node', (f) => by('time', f.told));
  add('drain_owners_told_total', 'Owners of calls whose sockets are here', (f) => by('time', f.ownersTold));
  add('drain_fetched_total', 'Calls sent after their relayed lines', (f) => one(f.fetched));
  add('drain_called_home_total', 'Legs called home from a node that leaves', (f) =>
    by('result', f.calledHome),
  );
  add('drain_without_place_total', 'Calls no other node could take', (f) => one(f.withoutPlace));
  add('drain_provider_moves_total', 'Providers asked to stream elsewhere', (f) => by('result', f.providers));
  add('drain_cut_off_total', 'Calls ended when time was up', (f) => one(f.cutOff));
  add('drain_dials_refused_total', 'Targets not dialled', (f) => one(f.dialsRefused));
  add('tail_messages_total', 'Said on the old line of a call that moved', (f) => by('result', f.tails));
  add('tails_cut_total', 'Old lines not waited for', (f) => one(f.tailsCut));
}
