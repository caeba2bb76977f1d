import type { Capabilities } from './capabilities.ts';
import type { Dialect } from './dialect.ts';
import { formatName } from '../media/format.ts';

/** One column of the table: a feature, and what a dialect has of it. */
interface Feature {
  readonly title: string;
  readonly of: (capabilities: Capabilities) => string;
}

const FEATURES: readonly Feature[] = [
  { title: 'marks', of: marksOf },
  { title: 'clear', of: (can) => (can.clear ? 'theirs' : 'we stop sending') },
  { title: 'digits in', of: (can) => mark(can.dtmfIn) },
  { title: 'digits out', of: (can) => mark(can.dtmfOut) },
  { title: 'hang-up', of: (can) => (can.hangUp ? 'in the stream' : 'not in the stream') },
  { title: 'transfer', of: (can) => (can.transfer ? 'in the stream' : 'not in the stream') },
  { title: 'message', of: (can) => `${can.messageFrames * 20} ms` },
  { title: 'ahead at most', of: (can) => `${can.inFlightMsMax} ms` },
  { title: 'numbered', of: (can) => mark(can.sequenced) },
  { title: 'two codecs', of: (can) => mark(can.twoCodecs) },
  { title: 'clean close', of: (can) => (can.closeEnds ? 'a hang-up' : 'a lost line') },
  { title: 'comes back', of: comesBack },
];

/** The dialects as tables of the documentation: what each can do, what it is proven by, what can be set. */
export function dialectsMarkdown(dialects: readonly Dialect[]): string {
  return [
    ...table(
      ['dialect', 'audio', ...FEATURES.map(({ title }) => title)],
      dialects.map((dialect) => [
        nameOf(dialect),
        dialect.formats.map(formatName).join(', '),
        ...FEATURES.map((feature) => feature.of(dialect.capabilities)),
      ]),
    ),
    ...table(
      ['dialect', 'proofs of its own', 'option', 'values, the default first', 'what it changes'],
      dialects.flatMap((dialect) => optionRows(dialect)),
    ),
  ].join('\n');
}

function optionRows(dialect: Dialect): readonly (readonly string[])[] {
  const own = [...dialect.proofs, ...(dialect.issuer === undefined ? [] : ['audience'])];
  const proofs = own.map((proof) => `\`${proof}\``).join(', ') || '–';
  if (dialect.options.length === 0) return [[nameOf(dialect), proofs, '–', '–', '–']];
  return dialect.options.map(({ name, values, fallback, meaning }, index) => {
    const ordered = [fallback, ...values.filter((value) => value !== fallback)];
    const first = index === 0 ? [nameOf(dialect), proofs] : ['', ''];
    return [...first, `\`${name}\``, ordered.map((value) => `\`${value}\``).join(', '), meaning];
  });
}

function comesBack({ resume, returns, goaway }: Capabilities): string {
  if (resume || returns === true) return 'to its leg';
  return goaway ? 'when told' : '–';
}

function marksOf({ marks, marksMax, playedOut }: Capabilities): string {
  if (marks) return `theirs, ${marksMax} at once`;
  return playedOut === true ? 'when all has played' : 'by played time';
}

function nameOf({ name, capabilities }: Dialect): string {
  return capabilities.unverified ? `\`${name}\` *unverified*` : `\`${name}\``;
}

function mark(has: boolean): string {
  return has ? 'yes' : '–';
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const line = (cells: readonly string[]): string => `| ${cells.map(escaped).join(' | ')} |`;
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line), ''];
}

function escaped(cell: string): string {
  return cell.replaceAll('|', '\\|');
}
