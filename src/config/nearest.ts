// One slip: with two, REDIS_URL would be taken for MEDIA_URL.
const DISTANCE_MAX = 1;

/** The known word a mistyped one most likely meant, if any is near. */
export function nearestOf(typed: string, known: readonly string[]): string | undefined {
  let nearest: string | undefined;
  let least = DISTANCE_MAX + 1;
  for (const word of known) {
    const distance = editDistance(typed, word);
    if (distance < least) [nearest, least] = [word, distance];
  }
  return nearest;
}

// Optimal string alignment: swapped neighbours, the commonest slip of fingers, count once.
function editDistance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    const above = rows[i - 1]!;
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      let cost = Math.min(above[j]! + 1, row[j - 1]! + 1, above[j - 1]! + (isSame ? 0 : 1));
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwap) cost = Math.min(cost, rows[i - 2]![j - 2]! + 1);
      row.push(cost);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}
