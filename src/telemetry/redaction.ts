/** What stands where a secret stood. */
const REDACTED = '<redacted>';

// Any field so named, at any depth of a line, in front of a value that can hold a secret.
const NAMES = '[\\w-]*(?:authorization|token|secret|password|credential|cookie|encryption_?key)s?';
const SECRET_FIELD = new RegExp(String.raw`"(?:${NAMES}|(?:[\w-]*-)?api[-_]?key)"\s*:\s*(?=["[{])`, 'gi');

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
  let clean = redactFields(line);
  for (const [looks, stands] of SECRET_LOOKS) clean = clean.replace(looks, stands);
  return clean;
}

function redactFields(line: string): string {
  let clean = '';
  let keptTo = 0;
  for (const field of line.matchAll(SECRET_FIELD)) {
    const valueAt = field.index + field[0].length;
    // Inside a value that is hidden already.
    if (valueAt < keptTo) continue;
    clean += `${line.slice(keptTo, valueAt)}"${REDACTED}"`;
    keptTo = endOfValue(line, valueAt);
  }
  return clean + line.slice(keptTo);
}

/** Where the JSON text, list or object that begins at `startAt` ends. */
function endOfValue(line: string, startAt: number): number {
  let depth = 0;
  let isText = false;
  for (let at = startAt; at < line.length; at++) {
    const character = line[at];
    if (isText) {
      if (character === '\\') at++;
      else if (character === '"') isText = false;
    } else if (character === '"') isText = true;
    else if (character === '[' || character === '{') depth++;
    else if (character === ']' || character === '}') depth--;
    if (depth === 0 && !isText) return at + 1;
  }
  return line.length;
}
