/** Tests of documents: Markdown, Word and PDF become passages by headings and paragraphs. */
import { describe, expect, it } from "vitest";
import { sampleCard } from "../testing/sample-card.ts";
import { docxOf, pdfOf } from "../testing/sample-documents.ts";
import { readImport } from "./read-import.ts";

const card = sampleCard({ row: { kind: "passage", fields: [], maxBytes: 65_536 }, labels: [], examples: [] });

async function read(name: string, content: string | Uint8Array) {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  const { notices, places, refused, rows, unused } = await readImport(card, [{ name, content: bytes }]);
  return {
    texts: rows.map((row) => (JSON.parse(new TextDecoder().decode(row)) as { text: string }).text),
    lines: places.map(({ line }) => line),
    notices,
    unused,
    refused,
  };
}

describe("Markdown", () => {
  it("is divided by its headings, not by what is in a block of code, and long sections between paragraphs", async () => {
    const long = ["one", "two", "three"].map((word) => `${word} `.repeat(400).trim()).join("\n\n");
    const text = `---\ntitle: Weather\n---\n# Sun\n\nIt *shines*.\n\n\`\`\`sh\n# no heading\n\`\`\`\n\nRain\n----\n\n- wet\n- cold\n\n## Long\n\n${long}\n`;
    const { notices, refused, texts, unused } = await read("a.md", text);
    expect(texts.slice(0, 2)).toEqual([
      "Sun\n\nIt *shines*.\n\n```sh\n# no heading\n```",
      "Rain\n\n- wet\n- cold",
    ]);
    expect(texts.length).toBe(5);
    expect(texts[2]!.startsWith("Long\n\none one")).toBe(true);
    // What is divided has its heading again.
    expect(texts[4]!.startsWith("Long\n\nthree three")).toBe(true);
    expect([refused, unused, notices.length]).toEqual([[], ["heading"], 1]);
  });
});

describe("a Word document", () => {
  const run = (text: string, properties = "") =>
    `<w:r>${properties}<w:t xml:space="preserve">${text}</w:t></w:r>`;
  const paragraph = (runs: string, style = "") =>
    `<w:p>${style === "" ? "" : `<w:pPr><w:pStyle w:val="${style}"/></w:pPr>`}${runs}</w:p>`;

  it("is divided by its headings; tables are lines, and what it hides or tracks is told", async () => {
    const cell = (text: string) => `<w:tc>${paragraph(run(text))}</w:tc>`;
    const docx = await docxOf(
      [
        paragraph(run("Weather"), "Heading1"),
        paragraph(run("The sun ") + run("shines", "<w:rPr><w:b/></w:rPr>") + run(" today.")),
        paragraph(
          `<w:ins w:author="a">${run("New.")}</w:ins><w:del w:author="a"><w:r><w:delText>Old.</w:delText></w:r></w:del>`,
        ),
        paragraph(run("Secret", "<w:rPr><w:vanish/></w:rPr>")),
        paragraph(run("Numbers"), "Heading2"),
        `<w:tbl><w:tr>${cell("May")}${cell("12")}</w:tr><w:tr>${cell("June")}${cell("14")}</w:tr></w:tbl>`,
      ].join(""),
    );
    const { lines, notices, texts } = await read("a.docx", docx);
    expect(texts).toEqual([
      "Weather\n\nThe sun shines today.\n\nNew.\n\nSecret",
      "Numbers\n\nMay | 12\nJune | 14",
    ]);
    expect(lines).toEqual([1, 2]);
    expect(notices.map((notice) => /hidden|tracked/.exec(notice)?.[0])).toEqual(["hidden", "tracked"]);
  });

  it("has its notes below their paragraphs, and headers, footers, comments and formulas are told", async () => {
    const refer = (kind: string, id: number) => `<w:r><w:${kind}Reference w:id="${id}"/></w:r>`;
    const note = (kind: string, id: number, ...texts: string[]) =>
      `<w:${kind} w:id="${id}">${texts.map((one) => paragraph(run(one))).join("")}</w:${kind}>`;
    const cell = (runs: string) => `<w:tc>${paragraph(runs)}</w:tc>`;
    const docx = await docxOf(
      [
        paragraph(run("Weather") + refer("footnote", 4), "Heading1"),
        paragraph(
          run("The sun shines") + refer("footnote", 2) + run(" here") + refer("endnote", 2) + run("."),
        ),
        paragraph(run("No note.")),
        `<w:tbl><w:tr>${cell(run("May") + refer("footnote", 3))}${cell(run("12"))}</w:tr></w:tbl>`,
        paragraph(`<m:oMath><m:r><m:t>x</m:t></m:r></m:oMath>${run("is unknown.")}`),
      ].join(""),
      6,
      {
        footnotes: [
          note("footnote", 2, "By day.", "Not by night."),
          note("footnote", 3, "Celsius."),
          note("footnote", 4, "Of 2026."),
        ].join(""),
        endnotes: note("endnote", 2, "In the south."),
        header: paragraph(run("Draft")),
        footer: paragraph(run("Page 1")),
        comments: `<w:comment w:id="1">${paragraph(run("Really?"))}</w:comment>`,
      },
    );
    const { notices, texts } = await read("a.docx", docx);
    expect(texts).toEqual([
      [
        "Weather[1]",
        "[1] Of 2026.",
        "The sun shines[2] here[3].\n[2] By day. Not by night.\n[3] In the south.",
        "No note.",
        "May[4] | 12\n[4] Celsius.",
        "is unknown.",
      ].join("\n\n"),
    ]);
    expect(notices).toEqual([
      "a.docx: left out: headers, footers, comments, formulas",
      "a.docx: 4 footnotes and endnotes are read, each below its paragraph",
    ]);
    // Parts without a text leave nothing out.
    const empty = await docxOf(paragraph(run("Sun")), 6, { header: paragraph(""), footer: paragraph("") });
    expect((await read("a.docx", empty)).notices).toEqual([]);
  });

  it("that is none is refused", async () => {
    expect((await read("a.docx", "no zip")).refused).toMatchObject([{ file: "a.docx", line: 0 }]);
    // A changed byte, which the library that reads documents does not notice.
    const damaged = await docxOf(paragraph(run("Sun")), 0);
    damaged[Buffer.from(damaged).indexOf("Sun")]! ^= 1;
    expect((await read("a.docx", damaged)).refused).toMatchObject([
      { file: "a.docx", why: expect.stringContaining("damaged") },
    ]);
    const { TextReader, Uint8ArrayWriter, ZipWriter } = await import("@zip.js/zip.js");
    const writer = new ZipWriter(new Uint8ArrayWriter());
    await writer.add("a.txt", new TextReader("x"));
    expect((await read("a.docx", await writer.close())).refused).toMatchObject([{ file: "a.docx" }]);
  });
});

describe("a PDF", () => {
  const left = [
    "The left column begins with this line",
    "and goes on to a second one, inter-",
    "national as it is. A third one ends it.",
  ];
  const right = [
    "The right column is another text",
    "whose lines are as high as the",
    "others, so drawing mixes them.",
  ];

  it("is read column by column below its heading, whatever the order of drawing", async () => {
    const rows = left.flatMap((text, i) => [
      { text, x: 50, y: 700 - 12 * i },
      { text: right[i]!, x: 330, y: 700 - 12 * i },
    ]);
    const pdf = pdfOf([
      [...rows, { text: "A title over both columns of the page", x: 50, y: 740, size: 18 }],
      [
        { text: "Next page", x: 50, y: 740, size: 18 },
        { text: "It has one column.", x: 50, y: 700 },
        { text: "And a second paragraph.", x: 50, y: 660 },
      ],
    ]);
    const before = pdf.slice();
    const { lines, notices, refused, texts } = await read("a.pdf", pdf);
    expect(refused).toEqual([]);
    expect(texts).toEqual([
      "A title over both columns of the page\n\nThe left column begins with this line and goes on to a second one, international as it is. A third one ends it.\n\nThe right column is another text whose lines are as high as the others, so drawing mixes them.",
      "Next page\n\nIt has one column.\n\nAnd a second paragraph.",
    ]);
    expect(lines).toEqual([1, 2]);
    expect(notices.some((notice) => notice.includes("1 words with a hyphen"))).toBe(true);
    // The library takes the bytes that it gets away from its caller.
    expect(pdf).toEqual(before);
  });

  it("of pictures alone, or one that is none, is refused", async () => {
    expect((await read("scan.pdf", pdfOf([[]]))).refused).toMatchObject([{ file: "scan.pdf", line: 0 }]);
    expect((await read("a.pdf", "no PDF")).refused).toMatchObject([{ file: "a.pdf", line: 0 }]);
  });
});
