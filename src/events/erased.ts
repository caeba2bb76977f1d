import { isObject, type JsonObject } from '../base/json.ts';
import type { CallView } from './call-view.ts';

// Words of ours, times and ids: everything else that is text may be somebody's name, number or sentence.
const KEPT_TEXTS = new Set(
  (
    'state direction type at role dialect codec region node mode hold result cause tone source format ' +
    'tracks protocol method outcome label amount currency per_minute sha256 provider fallback'
  ).split(' '),
);
const ID_OR_TIME = /(?:_id|_at|^id|^leg|_leg)$/;
/** Free text where somebody gave one, a stable word where we did. */
const STABLE_WORD = /^[a-z][a-z0-9_]{0,63}$/;
/** What whoever made the call wrote into it. */
const FOREIGN = new Set(['metadata', 'context', 'criteria', 'arguments', 'join']);
/** Lists of what was said, or of where it can be fetched. */
const EMPTIED = new Set(['segments', 'recordings']);
/** What was said of what was said. */
const NULLED = new Set(['transcript', 'summary', 'sentiment']);

/** Data of a call's event with ids, times, figures and words of ours left, and nothing of anybody else's. */
export function erasedData(data: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(data).map(([name, value]) => [name, erasedValue(name, value)]));
}

/** The call as its history keeps it. */
export function erasedView(view: CallView, at: string): CallView {
  const head = { ...view.head, from: null, to: null, metadata: {} };
  return { ...view, head, erased_at: view.erased_at ?? at };
}

function erasedValue(name: string, value: unknown): unknown {
  if (FOREIGN.has(name)) return isObject(value) ? {} : null;
  if (EMPTIED.has(name)) return Array.isArray(value) ? [] : erasedPlain(name, value);
  if (NULLED.has(name)) return null;
  if (Array.isArray(value)) return value.map((one) => erasedPlain(name, one));
  return erasedPlain(name, value);
}

function erasedPlain(name: string, value: unknown): unknown {
  if (isObject(value)) return erasedData(value);
  if (typeof value !== 'string') return value;
  if (KEPT_TEXTS.has(name) || ID_OR_TIME.test(name)) return value;
  return name === 'reason' && STABLE_WORD.test(value) ? value : null;
}
