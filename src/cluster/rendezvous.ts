/**
 * Who of them is responsible for `key`: every node that knows the same nodes names the same one, and a node
 * more or less moves only its own keys (highest random weight, Thaler and Ravishankar 1998). Undefined where
 * there is nobody.
 */
export function responsibleFor(key: string, incarnations: readonly string[]): string | undefined {
  let responsible: string | undefined;
  let highest = -1;
  for (const incarnation of incarnations) {
    const weight = hash(`${key}\n${incarnation}`);
    const isHigher = weight > highest || (weight === highest && incarnation > (responsible ?? ''));
    if (!isHigher) continue;
    responsible = incarnation;
    highest = weight;
  }
  return responsible;
}

// FNV-1a, and the last mix of MurmurHash3: without it, names that differ in one character have like weights.
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
