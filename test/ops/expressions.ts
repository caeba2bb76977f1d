/** A metric as an expression of PromQL asks for it. */
export interface Asked {
  readonly name: string;
  readonly matchers: readonly {
    readonly label: string;
    readonly isEqual: boolean;
    readonly values: string[];
  }[];
}

const SELECTOR = /\b((?:[a-z_]+:)?(?:omnivoice|process|nodejs)_[\w:]+|up|ALERTS)\b(?:\{([^}]*)\})?/g;
const MATCHER = /(\w+)(=~|=|!=|!~)"([^"]*)"/g;

/** Every metric, with the labels it is narrowed by. Values that a variable brings are left out. */
export function asksOf(expr: string): readonly Asked[] {
  const withoutGroups = expr.replaceAll(/\b(?:by|on|without|ignoring) \([^)]*\)/g, '');
  return [...withoutGroups.matchAll(SELECTOR)].map(([, name = '', inBraces = '']) => ({
    name,
    matchers: [...inBraces.matchAll(MATCHER)].map(([, label = '', operator = '', text = '']) => ({
      label,
      isEqual: operator.startsWith('='),
      values: text.includes('$') ? [] : operator.endsWith('~') ? text.split('|') : [text],
    })),
  }));
}

/** The labels by which an expression groups or joins. */
export function groupsOf(expr: string): readonly string[] {
  const lists = [...expr.matchAll(/\b(?:by|on|without|ignoring) \(([^)]*)\)/g)];
  return [...new Set(lists.flatMap(([, list = '']) => list.split(',').map((label) => label.trim())))];
}
