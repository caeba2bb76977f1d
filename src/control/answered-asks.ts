import type { Ask, AskResult } from '../events/asks.ts';

/** Who answers what: one for each name of a question. What they throw is answered by its fault. */
export type AskAnswerers = {
  readonly [Name in Ask['name']]: (
    ask: Extract<Ask, { readonly name: Name }>,
    incarnation: string,
  ) => Promise<AskResult>;
};

type Answerer = (ask: Ask, incarnation: string) => Promise<AskResult>;

/** Leads every question of a node to whoever answers it; one that nobody knows is answered with a fault. */
export function answeredBy(answerers: AskAnswerers): Answerer {
  // The name picks the answerer of that very question, which is more than the compiler can follow.
  const known = new Map(Object.entries(answerers) as [string, Answerer][]);
  return (ask, incarnation) => known.get(ask.name)?.(ask, incarnation) ?? Promise.resolve(unknown(ask.name));
}

function unknown(name: string): AskResult {
  return { ok: false, fault: 'invalid_argument', detail: `control answers no question called ${name}` };
}
