/** What stands where a secret stood. */
export const REDACTED = '<redacted>';

// The kinds of JSON value that can hold a secret. Texts come first: a bracket inside one ends nothing.
const TEXT = String.raw`"(?:[^"\\]|\\.)*"`;
const FLAT_LIST = String.raw`\[(?:${TEXT}|[^\][{}"])*\]`;
const FLAT_OBJECT = String.raw`\{(?:${TEXT}|${FLAT_LIST}|[^\][{}"])*\}`;
const OBJECT = String.raw`\{(?:${TEXT}|${FLAT_OBJECT}|${FLAT_LIST}|[^\][{}"])*\}`;
const LIST = String.raw`\[(?:${TEXT}|${OBJECT}|${FLAT_LIST}|[^\][{}"])*\]`;

// Any field so named, at any depth of a line.
const NAMES = String.raw`[\w-]*(?:authorization|token|secret|password|credential|cookie|encryption_?key)s?`;
const SECRET_FIELDS = new RegExp(
  String.raw`("(?:${NAMES}|(?:[\w-]*-)?api[-_]?key)"\s*:\s*)(?:${TEXT}|${LIST}|${OBJECT})`,
  'gi',
);

// Secrets by their looks, wherever in a text they are: in an address, a header, a sentence, a stack.
const SECRET_LOOKS: readonly (readonly [RegExp, string])[] = [
  [/\b(omf_(?:live|test)_)[\w-]+/g, `$1${REDACTED}`],
  [/\b(whsec_)[\w+/=-]+/g, `$1${REDACTED}`],
  [/(\/media\/[\w-]+\/(?:r\/)?)[^/?#\s"'\\]+/g, `$1${REDACTED}`],
  [/\beyJ[\w-]+\.[\w-]+\.[\w-]+/g, REDACTED],
  [/\b(Bearer|Basic) +[\w.~+/=-]+/gi, `$1 ${REDACTED}`],
  [/([?&](?:access_)?(?:token|key|secret|signature|credential|api_key)=)[^&#\s"'\\]+/gi, `$1${REDACTED}`],
  // JSON inside a text, as a body that was quoted.
  [/((?:authorization|token|secret|password|api_?key)\\"\s*:\s*\\")[^"\\]+/gi, `$1${REDACTED}`],
];

/** The same line of JSON without anything secret in it; still JSON. */
export function redactLine(line: string): string {
  let clean = line.replace(SECRET_FIELDS, `$1"${REDACTED}"`);
  for (const [looks, stands] of SECRET_LOOKS) clean = clean.replace(looks, stands);
  return clean;
}
