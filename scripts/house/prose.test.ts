import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { brokenProseLimits } from "./limits.ts";
import { missingTargets, targetsIn } from "./page-targets.ts";
import { MAX_WORDS, measureProse, pagesOf, sentencesOf, wordsOf } from "./prose.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

describe("the pages", () => {
  it("say one thought a sentence: none is long, and half are short", () => {
    const pages = measureProse(root);
    expect(pages.length).toBeGreaterThan(30);
    expect(pages.reduce((sum, { sentenceCount }) => sum + sentenceCount, 0)).toBeGreaterThan(1_500);
    expect(brokenProseLimits(pages)).toEqual([]);
  });

  it("name only files, folders and anchors that there are", () => {
    expect(missingTargets(root)).toEqual([]);
  });
});

describe("the measure", () => {
  it("reads sentences of paragraphs and lists, and leaves out code, tables and headings", () => {
    const page = `# A heading. With two sentences.

One sentence, over
two lines. Another one (with \`some. Code\`)! [A link](there.md) follows.
- An item: it is a sentence
- \`code\` begins. The second item has two
  sentences.

| a table. | has none. |

\`\`\`bash
echo "No. Sentence."
\`\`\`

    Nor. Here.
`;
    expect(sentencesOf(page)).toEqual([
      "One sentence, over two lines.",
      "Another one (with code)!",
      "[A link] follows.",
      "An item: it is a sentence",
      "code begins.",
      "The second item has two sentences.",
    ]);
    expect(wordsOf("a · b – 2^64 (c)")).toBe(4);
  });

  it("names a sentence of one word too many, a page of long sentences and what a page names in vain", () => {
    const folder = mkdtempSync(join(tmpdir(), "openledger-prose-"));
    const write = (path: string, text: string) => {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    };
    const sentence = (words: number) => `${Array(words).fill("Word").join(" ")}.`;
    try {
      write("README.md", sentence(MAX_WORDS));
      write("CONTRIBUTING.md", `${sentence(MAX_WORDS + 1)} ${sentence(2)} ${sentence(3)}`);
      write("docs/pictures/long.md", sentence(99));
      write("docs/adr/0001-short.md", sentence(2));
      expect(pagesOf(folder)).toEqual(["CONTRIBUTING.md", "README.md", "docs/adr/0001-short.md"]);
      expect(brokenProseLimits(measureProse(folder))).toEqual([
        `CONTRIBUTING.md has a sentence above ${MAX_WORDS} words: ${sentence(MAX_WORDS + 1)}`,
        `README.md has a median of ${MAX_WORDS} words a sentence, the limit is 18`,
      ]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("finds paths in code and links, one for each alternative", () => {
    const { names, links } = targetsIn(
      "Run `npx tsx scripts/a.ts --x`, see `bridge/{l1,verify}/b*.ts` and [there](docs/c.md#d). `H[X](e)`\n",
    );
    expect(names).toEqual(["scripts/a.ts", "bridge/l1/b*.ts", "bridge/verify/b*.ts"]);
    expect(links).toEqual([{ path: "docs/c.md", anchor: "d" }]);
  });
});
