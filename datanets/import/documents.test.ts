/** Tests of documents: Markdown, Word and PDF become passages by headings and paragraphs. */
import { describe, expect, it } from "vitest";
import { sampleCard } from "../testing/sample-card.ts";
import { docxOf, pdfOf } from "../testing/sample-documents.ts";
import type { Choices } from "./decision.ts";
import { readImport } from "./read-import.ts";

const card = sampleCard({ row: { kind: "passage", fields: [], maxBytes: 65_536 }, labels: [], examples: [] });

async function read(name: string, content: string | Uint8Array, choices: Choices = {}) {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  const { decisions, notices, places, refused, rows, unused } = await readImport(
    card,
    [{ name, content: bytes }],
    {},
    { choices },
  );
  return {
    texts: rows.map((row) => (JSON.parse(new TextDecoder().decode(row)) as { text: string }).text),
    lines: places.map(({ line }) => line),
    notices,
    unused,
    refused,
    decisions,
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
    // What the library says is shown, too.
    expect(notices.map((notice) => /hidden|tracked|Heading\d/.exec(notice)?.[0])).toEqual([
      "hidden",
      "tracked",
      "Heading1",
      "Heading2",
    ]);
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
      "a.docx: Paragraph style with ID Heading1 was referenced but not defined in the document",
      "a.docx: An unrecognised element was ignored: {http://schemas.openxmlformats.org/officeDocument/2006/math}oMath",
    ]);
    // Parts without a text leave nothing out.
    const empty = await docxOf(paragraph(run("Sun")), 6, { header: paragraph(""), footer: paragraph("") });
    expect((await read("a.docx", empty)).notices).toEqual([]);
  });

  it("keeps the words of fields, ruby, marks of direction and text boxes of the new form alone", async () => {
    const box = (content: string) =>
      `<w:r><w:drawing><wp:inline><a:graphic><wps:txbx><w:txbxContent>${content}</w:txbxContent></wps:txbx></a:graphic></wp:inline></w:drawing></w:r>`;
    const both = (newer: string, older: string) =>
      `<mc:AlternateContent><mc:Choice Requires="wps">${newer}</mc:Choice><mc:Fallback>${older}</mc:Fallback></mc:AlternateContent>`;
    const docx = await docxOf(
      [
        paragraph(
          run("Due on ") + `<w:fldSimple w:instr="DATE">${run("3 March 2026")}</w:fldSimple>` + run("."),
        ),
        paragraph(
          `<w:r><w:ruby><w:rt>${run("とう")}</w:rt><w:rubyBase>${run("東")}</w:rubyBase></w:ruby></w:r>${run("京")}`,
        ),
        paragraph(`<w:bdo w:val="rtl">${run("שלום")}</w:bdo><w:r><w:cr/><w:t>below</w:t></w:r>`),
        paragraph(run("Beside the box") + box(paragraph(run("In the box")))),
        // One text in two forms is read once; an older form without it does not hide the newer one.
        paragraph(both(run("new"), run("old")) + both(box(paragraph(run("Alone"))), "")),
      ].join(""),
    );
    const { notices, texts } = await read("a.docx", docx);
    expect(texts).toEqual([
      "Due on 3 March 2026.\n\n東京\n\nשלום\nbelow\n\nBeside the box\n\nIn the box\n\nold\n\nAlone",
    ]);
    expect(notices).toEqual([
      "a.docx: left out: 1 reading above characters (ruby)",
      "a.docx: 2 text boxes, read below the paragraph that holds it",
    ]);
  });

  it("has the automatic numbers of its lists and headings, as Word counts them", async () => {
    const level = (at: number, format: string, text: string, more = "") =>
      `<w:lvl w:ilvl="${at}"><w:start w:val="1"/><w:numFmt w:val="${format}"/>${more}<w:lvlText w:val="${text}"/></w:lvl>`;
    const numbering = [
      `<w:abstractNum w:abstractNumId="0">${level(0, "decimal", "%1.", '<w:pStyle w:val="Clause"/>')}${level(1, "decimal", "%1.%2")}${level(2, "lowerLetter", "(%3)")}</w:abstractNum>`,
      `<w:abstractNum w:abstractNumId="1">${level(0, "upperRoman", "Part %1:")}</w:abstractNum>`,
      `<w:abstractNum w:abstractNumId="2">${level(0, "bullet", "•")}</w:abstractNum>`,
      ...[0, 1, 2].map((id) => `<w:num w:numId="${id + 1}"><w:abstractNumId w:val="${id}"/></w:num>`),
      '<w:num w:numId="9"><w:abstractNumId w:val="1"/><w:lvlOverride w:ilvl="0"><w:startOverride w:val="4"/></w:lvlOverride></w:num>',
    ].join("");
    const styles =
      '<w:style w:type="paragraph" w:styleId="Clause"><w:name w:val="Clause"/><w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr></w:style>' +
      '<w:style w:type="paragraph" w:styleId="Sub"><w:name w:val="Sub"/><w:basedOn w:val="Clause"/></w:style>' +
      '<w:style w:type="paragraph" w:styleId="Heading1"><w:name w:val="heading 1"/><w:pPr><w:numPr><w:numId w:val="2"/></w:numPr></w:pPr></w:style>';
    const item = (text: string, numId: number, at: number) =>
      `<w:p><w:pPr><w:numPr><w:ilvl w:val="${at}"/><w:numId w:val="${numId}"/></w:numPr></w:pPr>${run(text)}</w:p>`;
    const docx = await docxOf(
      [
        paragraph(run("Rules"), "Heading1"),
        paragraph(run("Fees"), "Clause"),
        item("Members pay.", 1, 1),
        item("by bank", 1, 2),
        item("in cash", 1, 2),
        item("Guests pay more.", 1, 1),
        paragraph(run("Keys"), "Sub"),
        item("See clause 1.1.", 1, 1),
        item("one point", 3, 0),
        item("no number", 0, 0),
        item("anew", 9, 0),
      ].join(""),
      6,
      { numbering, styles },
    );
    const { notices, texts } = await read("a.docx", docx);
    expect(texts).toEqual([
      [
        ...[
          "Part I: Rules",
          "1. Fees",
          "1.1 Members pay.",
          "(a) by bank",
          "(b) in cash",
          "1.2 Guests pay more.",
        ],
        ...["2. Keys", "2.1 See clause 1.1.", "one point", "no number", "Part IV: anew"],
      ].join("\n\n"),
    ]);
    expect(notices).toContain("a.docx: 9 automatic numbers of paragraphs, read as text before them");
  });

  it("has a table in a table on the cell's line, and says of embedded documents how to read them", async () => {
    const cell = (content: string) => `<w:tc>${content}</w:tc>`;
    const inner = `<w:tbl><w:tr>${cell(paragraph(run("a")))}${cell(paragraph(run("b")))}</w:tr><w:tr>${cell(paragraph(run("c")))}${cell(paragraph(run("d")))}</w:tr></w:tbl>`;
    const outer = `<w:tbl><w:tr>${cell(paragraph(run("May")))}${cell(inner + paragraph(""))}</w:tr></w:tbl>`;
    const { notices, texts } = await read("a.docx", await docxOf(`${outer}<w:altChunk/>`));
    expect(texts).toEqual(["May | (a, b; c, d)"]);
    expect(notices[0]).toContain("altChunk");
    const alone = await read("a.docx", await docxOf("<w:altChunk/>"));
    expect(alone.refused).toMatchObject([{ why: expect.stringContaining("save it again") }]);
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

  /** Position of an upright page's point on one that is turned by quarters. */
  const turned = (turns: number, x: number, y: number) =>
    (
      [
        [x, y],
        [600 - y, x],
        [600 - x, 800 - y],
        [y, 800 - x],
      ] as const
    )[turns]!;

  it.each([1, 2, 3])("that is turned by %i quarters is read as its letters stand", async (turns) => {
    const lines = [
      "The tide rises twice a day here",
      "and falls as often, says the log.",
      "Ships wait for it.",
    ];
    const drawn = lines.map((text, i) => {
      const [x, y] = turned(turns, 60, 560 - 12 * i - (i === 2 ? 30 : 0));
      return { text, x, y, turns };
    });
    const expected = [
      "The tide rises twice a day here and falls as often, says the log.\n\nShips wait for it.",
    ];
    expect((await read("a.pdf", pdfOf([drawn], { rotation: 90 * turns }))).texts).toEqual(expected);
    // Sideways on an upright page, as wide tables are; and beside a line that is upright.
    expect((await read("a.pdf", pdfOf([drawn]))).texts).toEqual(expected);
    const margin = { text: "Page of the log", x: 20, y: 20 };
    expect((await read("a.pdf", pdfOf([[margin, ...drawn]]))).texts[0]).toBe(
      `${expected[0]}\n\nPage of the log`,
    );
  });

  it("of Hebrew is read from right to left, with its columns, and numbers as they stand", async () => {
    const word = (text: string, x: number, y: number) => ({ text, x, y, size: 12 });
    const line = pdfOf(
      [[word("EFLU", 300, 700), word("120", 250, 700), word("ELFP", 215, 700), word("BFI", 180, 700)]],
      {
        isHebrew: true,
      },
    );
    const { texts } = await read("a.pdf", line);
    const [first, number, third, fourth] = texts[0]!.split(" ");
    expect(number).toBe("120");
    const single = async (text: string) =>
      (await read("b.pdf", pdfOf([[word(text, 60, 60)]], { isHebrew: true }))).texts[0];
    expect([first, third, fourth]).toEqual([await single("EFLU"), await single("ELFP"), await single("BFI")]);
    const column = (x: number, letters: string) =>
      [0, 1, 2, 3].map((i) =>
        word(`${letters} ${letters} ${letters} ${letters} ${letters}`, x, 600 - 14 * i),
      );
    const columns = await read(
      "c.pdf",
      pdfOf([[...column(40, "ABC"), ...column(350, "TUV")]], { isHebrew: true }),
    );
    const [own] = [await single("TUV")];
    expect(columns.texts[0]!.startsWith(own!)).toBe(true);
  });

  const PARTS = ["rowing", "sailing", "diving", "fishing"];
  const body = (i: number) => [
    { text: `Members of the ${PARTS[i - 1]} group pay their fee within`, x: 50, y: 700 },
    { text: `thirty days; then the ${PARTS[i - 1]} office sends a`, x: 50, y: 688 },
    { text: `letter about ${PARTS[i - 1]} that says so and names the`, x: 50, y: 676 },
  ];

  it("has no running heads and page numbers in its sentences, unless a person wants them", async () => {
    const pages = [1, 2, 3, 4].map((i) => [
      // Left and right pages differ.
      { text: i % 2 === 0 ? "Rules of the harbour" : "Edition 2026", x: 50, y: 770 },
      ...body(i),
      { text: `Page ${i} of 4`, x: 280, y: 30 },
    ]);
    const { decisions, texts } = await read("a.pdf", pdfOf(pages));
    expect(texts[0]).not.toMatch(/Page \d|Edition|harbour/);
    expect(texts[0]!.startsWith("Members of the rowing group pay their fee within thirty days; then")).toBe(
      true,
    );
    expect(decisions).toMatchObject([
      { kind: "paragraph-heads", file: "a.pdf", cells: 8, isOpen: false, taken: { name: "left-out" } },
    ]);
    const kept = await read("a.pdf", pdfOf(pages), { "paragraph-heads": "text" });
    expect(kept.texts[0]).toMatch(/Page 3 of 4/);
    // Each chapter may have a head of its own.
    const chapters = [1, 2, 3, 4, 1, 2].map((i, page) => [
      { text: `Chapter of the ${PARTS[Math.floor(page / 2)]} club`, x: 50, y: 770 },
      ...body(i).map((line) => ({ ...line, text: `${line.text} ${"abcdef"[page]}` })),
    ]);
    const divided = await read("d.pdf", pdfOf(chapters));
    expect(divided.decisions).toMatchObject([{ kind: "paragraph-heads", cells: 6 }]);
    // What comes once, or is only alike, is no head.
    const letters = [1, 2, 3].map((i) => [{ text: ["Ada", "Bo", "Cy"][i - 1]!, x: 50, y: 770 }, ...body(i)]);
    expect((await read("b.pdf", pdfOf(letters))).decisions).toEqual([]);
    // Pages that are the same but for a name are a form, and not heads all over.
    const forms = [1, 2, 3].map((i) => [{ text: PARTS[i]!, x: 50, y: 770 }, ...body(1)]);
    expect((await read("c.pdf", pdfOf(forms))).decisions).toEqual([]);
  });

  it("whose pages begin with a numbered line close to the text is asked about it", async () => {
    const pages = [1, 2, 3].map((i) => [{ text: `Question ${i}`, x: 50, y: 712 }, ...body(i)]);
    const { decisions } = await read("a.pdf", pdfOf(pages));
    expect(decisions).toMatchObject([
      { kind: "paragraph-heads", isOpen: true, cells: 3, seen: "Question 1" },
    ]);
  });

  it("of pictures alone, or one that is none, is refused", async () => {
    expect((await read("scan.pdf", pdfOf([[]]))).refused).toMatchObject([{ file: "scan.pdf", line: 0 }]);
    expect((await read("a.pdf", "no PDF")).refused).toMatchObject([{ file: "a.pdf", line: 0 }]);
  });
});
