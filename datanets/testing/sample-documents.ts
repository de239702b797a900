/** Documents for tests, in the parts that their formats need. */
import { configure, TextReader, Uint8ArrayWriter, ZipWriter } from "@zip.js/zip.js";

/** Root elements of a Word document's further parts. */
const ROOTS = {
  footnotes: "footnotes",
  endnotes: "endnotes",
  comments: "comments",
  header: "hdr",
  footer: "ftr",
  numbering: "numbering",
  styles: "styles",
} as const;
type DocxParts = Partial<Readonly<Record<keyof typeof ROOTS, string>>>;

/** A Word document with this body and further parts, in the parts that the format needs. */
export async function docxOf(body: string, level = 6, more: DocxParts = {}): Promise<Uint8Array> {
  configure({ useWebWorkers: false });
  const office = "http://schemas.openxmlformats.org";
  const word = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml";
  const relationships = Object.keys(more).map(
    (name) =>
      `<Relationship Id="${name}" Type="${office}/officeDocument/2006/relationships/${name}" Target="${name}.xml"/>`,
  );
  const further = Object.entries(more).map(([name, content]) => {
    const root = ROOTS[name as keyof DocxParts];
    return [
      `word/${name}.xml`,
      `<w:${root} xmlns:w="${office}/wordprocessingml/2006/main">${content}</w:${root}>`,
    ];
  });
  const parts: Readonly<Record<string, string>> = {
    ...Object.fromEntries(further),
    "word/_rels/document.xml.rels": `<Relationships xmlns="${office}/package/2006/relationships">${relationships.join("")}</Relationships>`,
    "[Content_Types].xml": `<Types xmlns="${office}/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/word/document.xml" ContentType="${word}"/></Types>`,
    "_rels/.rels": `<Relationships xmlns="${office}/package/2006/relationships"><Relationship Id="r1" Type="${office}/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>`,
    "word/document.xml": `<w:document xmlns:w="${office}/wordprocessingml/2006/main" xmlns:m="${office}/officeDocument/2006/math" xmlns:mc="${office}/markup-compatibility/2006" xmlns:a="${office}/drawingml/2006/main" xmlns:wp="${office}/drawingml/2006/wordprocessingDrawing" xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"><w:body>${body}</w:body></w:document>`,
  };
  const writer = new ZipWriter(new Uint8ArrayWriter(), { level });
  for (const [name, text] of Object.entries(parts))
    await writer.add(name, new TextReader(`<?xml version="1.0"?>${text}`));
  return writer.close();
}

export interface Drawn {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly size?: number;
  /** Direction of writing on the page, in quarter turns against the clock. */
  readonly turns?: number;
}

/** Cosine and sine of quarter turns. */
const TURNS = ["1 0 0 1", "0 1 -1 0", "-1 0 0 -1", "0 -1 1 0"] as const;
/** Letters of Hebrew in the place of A to Z, as a PDF's font may have them. */
const HEBREW = [..."אבגדהוזחטיכלמנסעפצקרשת"];

/**
 * A PDF with these texts on its pages, in the order in which they are drawn.
 * @param rotations of the pages in degrees; @param isHebrew its font has Hebrew letters for A to V
 */
export function pdfOf(
  pages: readonly (readonly Drawn[])[],
  { isHebrew = false, rotation = 0 }: { readonly isHebrew?: boolean; readonly rotation?: number } = {},
): Uint8Array {
  const map = HEBREW.map((letter, i) => {
    const hex = (value: number, length: number) => value.toString(16).padStart(length, "0");
    return `<${hex(65 + i, 2)}> <${hex(letter.codePointAt(0)!, 4)}>`;
  });
  const unicode = `/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def 1 begincodespacerange <00> <FF> endcodespacerange 1 beginbfchar <20> <0020> endbfchar ${map.length} beginbfchar ${map.join(" ")} endbfchar endcmap end end`;
  const firstPage = 5;
  const objects = [
    "<< /Type /Catalog /Pages 2 0 R >>",
    `<< /Type /Pages /Count ${pages.length} /Kids [${pages.map((_, i) => `${firstPage + 2 * i} 0 R`).join(" ")}] >>`,
    `<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica ${isHebrew ? "/ToUnicode 4 0 R " : ""}>>`,
    `<< /Length ${unicode.length} >>\nstream\n${unicode}\nendstream`,
    ...pages.flatMap((drawn, i) => {
      const content = drawn
        .map(
          ({ size = 10, text, turns = 0, x, y }) =>
            `BT /F1 ${size} Tf ${TURNS[turns % 4]} ${x} ${y} Tm (${text}) Tj ET`,
        )
        .join("\n");
      return [
        `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Rotate ${rotation} /Contents ${firstPage + 1 + 2 * i} 0 R /Resources << /Font << /F1 3 0 R >> >> >>`,
        `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
      ];
    }),
  ];
  let text = "%PDF-1.4\n";
  const offsets = objects.map((object, i) => {
    const at = text.length;
    text += `${i + 1} 0 obj\n${object}\nendobj\n`;
    return at;
  });
  const table = offsets.map((at) => `${String(at).padStart(10, "0")} 00000 n \n`).join("");
  const size = objects.length + 1;
  text += `xref\n0 ${size}\n0000000000 65535 f \n${table}trailer\n<< /Size ${size} /Root 1 0 R >>\nstartxref\n${text.length}\n%%EOF\n`;
  return new TextEncoder().encode(text);
}
