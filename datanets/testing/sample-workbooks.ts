/** Workbooks (.xlsx) for tests, in the parts that the format needs. */
import { configure, TextReader, Uint8ArrayWriter, ZipWriter } from "@zip.js/zip.js";

export interface SampleSheet {
  readonly name: string;
  readonly state?: "hidden";
  /** XML of the rows. */
  readonly rows: string;
  /** XML behind the rows, as of merged cells. */
  readonly after?: string;
}

export interface SampleWorkbook {
  readonly sheets: readonly SampleSheet[];
  /** XML of the shared texts. */
  readonly texts?: readonly string[];
  /** Number formats of the styles 1, 2 …: a number that programs know, or a text. */
  readonly formats?: readonly (number | string)[];
  readonly is1904?: boolean;
}

const OFFICE = "http://schemas.openxmlformats.org";
const MAIN = `${OFFICE}/spreadsheetml/2006/main`;
const RELATIONSHIPS = `${OFFICE}/package/2006/relationships`;
const DOCUMENT = `${OFFICE}/officeDocument/2006/relationships`;

export async function xlsxOf(workbook: SampleWorkbook): Promise<Uint8Array> {
  const { formats = [], is1904 = false, sheets, texts = [] } = workbook;
  const relationship = (id: string, type: string, target: string) =>
    `<Relationship Id="${id}" Type="${DOCUMENT}/${type}" Target="${target}"/>`;
  const own = formats.flatMap((format, i) =>
    typeof format === "string" ? [`<numFmt numFmtId="${200 + i}" formatCode="${format}"/>`] : [],
  );
  const styles = formats.map(
    (format, i) => `<xf numFmtId="${typeof format === "string" ? 200 + i : format}"/>`,
  );
  const parts: Record<string, string> = {
    "[Content_Types].xml": `<Types xmlns="${OFFICE}/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>`,
    "_rels/.rels": `<Relationships xmlns="${RELATIONSHIPS}">${relationship("r1", "officeDocument", "xl/workbook.xml")}</Relationships>`,
    "xl/workbook.xml": `<workbook xmlns="${MAIN}" xmlns:r="${DOCUMENT}"><workbookPr date1904="${Number(is1904)}"/><sheets>${sheets
      .map(
        ({ name, state = "visible" }, i) =>
          `<sheet name="${name}" sheetId="${i + 1}" state="${state}" r:id="s${i}"/>`,
      )
      .join("")}</sheets></workbook>`,
    "xl/_rels/workbook.xml.rels": `<Relationships xmlns="${RELATIONSHIPS}">${sheets
      .map((_, i) => relationship(`s${i}`, "worksheet", `worksheets/sheet${i + 1}.xml`))
      .join(
        "",
      )}${relationship("t", "sharedStrings", "sharedStrings.xml")}${relationship("f", "styles", "/xl/styles.xml")}</Relationships>`,
    "xl/sharedStrings.xml": `<sst xmlns="${MAIN}">${texts.map((text) => `<si>${text}</si>`).join("")}</sst>`,
    "xl/styles.xml": `<styleSheet xmlns="${MAIN}"><numFmts>${own.join("")}</numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/>${styles.join("")}</cellXfs></styleSheet>`,
  };
  for (const [i, { after = "", rows }] of sheets.entries())
    parts[`xl/worksheets/sheet${i + 1}.xml`] =
      `<worksheet xmlns="${MAIN}"><sheetData>${rows}</sheetData>${after}</worksheet>`;
  configure({ useWebWorkers: false });
  const writer = new ZipWriter(new Uint8ArrayWriter());
  for (const [name, text] of Object.entries(parts))
    await writer.add(name, new TextReader(`<?xml version="1.0" encoding="UTF-8"?>${text}`));
  return writer.close();
}

/** XML of a row of cells: texts are written in the cells, numbers as values. */
export function sheetRow(
  line: number,
  cells: readonly (string | number | bigint | null)[],
  more = "",
): string {
  const written = cells.map((cell, i) => {
    const name = `${String.fromCharCode(65 + i)}${line}`;
    if (cell === null) return "";
    return typeof cell !== "string"
      ? `<c r="${name}"><v>${cell}</v></c>`
      : `<c r="${name}" t="inlineStr"><is><t xml:space="preserve">${cell}</t></is></c>`;
  });
  return `<row r="${line}"${more}>${written.join("")}</row>`;
}
