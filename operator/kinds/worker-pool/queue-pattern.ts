/** Most repetitions without an end in one pattern: what a pattern may cost grows with the power of them. */
const MOST_UNBOUNDED = 2;
const MOST_CHARACTERS = 200;

/**
 * A pattern of queue names, matched as a whole: literals, `.`, classes, groups with `|`, and `* + ?` on single characters. What could make
 * matching slow for everyone is refused: a repeated group, a look around, a reference back. Pure; `problem` says what is wrong.
 */
export function queuePattern(text: string): { readonly matches: (name: string) => boolean } | { readonly problem: string } {
  if (text.length > MOST_CHARACTERS) return { problem: `it has more than ${MOST_CHARACTERS} characters` };
  const plain = text.replaceAll(/\\[^1-9k]/g, "_").replaceAll(/\[[^\]]*\]/g, "_");
  if (/\\[1-9k]/.test(plain)) return { problem: "it refers back to a group" };
  if (/\(\?(?!:)/.test(plain)) return { problem: "it looks around or names a group" };
  if (/\)[*+?{]/.test(plain)) return { problem: "it repeats a group" };
  const unbounded = plain.match(/[*+]|\{\d+,\}/g)?.length ?? 0;
  if (unbounded > MOST_UNBOUNDED) return { problem: `it has ${unbounded} repetitions without an end; at most ${MOST_UNBOUNDED} may stand` };
  try {
    const regex = new RegExp(`^(?:${text})$`, "s");
    return { matches: (name) => regex.test(name) };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : "it is no regular expression" };
  }
}
