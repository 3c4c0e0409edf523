// Tables of cases.

/// Runs `check` for every case, one after the other, and throws once at the end, naming all that failed.
export async function everyCase(cases, check) {
  const failures = [];
  for (const one of cases) {
    try {
      await check(one);
    } catch (error) {
      const name = [one]
        .flat()
        .map((part) => (typeof part === 'string' ? part : JSON.stringify(part)))
        .join(' ')
        .slice(0, 120);
      failures.push(`${name}: ${error.message.trim().replace(/\s*\n\s*/g, ' ')}`);
    }
  }
  if (failures.length > 0) throw new Error(`${failures.length} of ${cases.length} cases failed:\n${failures.join('\n')}`);
}
