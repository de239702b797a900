/**
 * Four Datanets of data that people have, walked in the pages by two of them: one opens the Datanet, contributes a file, reviews,
 * publishes and exports, both label. Everything is pressed, typed, chosen and read as a user does.
 */
import type { Locator, Page } from "playwright-core";
import type { OwnData } from "./own-data-files.ts";

const LONG = { timeout: 240_000 };

/** What somebody did in one part of a walk. */
export interface Effort {
  readonly step: string;
  /** Buttons, links, choices and fields that somebody points at. */
  readonly clicks: number;
  /** Fields that were written. */
  readonly fields: number;
  /** Keys that were pressed, outside of fields. */
  readonly keys: number;
  readonly seconds: number;
}

export interface WalkedData {
  readonly efforts: readonly Effort[];
  /** Downloaded files by name. */
  readonly files: ReadonlyMap<string, Buffer>;
}

export interface Walker {
  readonly name: string;
  readonly page: Page;
}

/** Called at each moment that a picture shows. */
export type OnMoment = (name: string, page: Page) => Promise<void>;

/** Formats that the page offers, as it names them. */
const EXPORTS = ["JSON lines", "Parquet, with a Croissant file"] as const;
/** Further ones, of rows that are no pictures, and of pictures. */
const TASKS = ["Label Studio's JSON"] as const;
const PICTURES = ["Pictures with a table (zip)", "Pictures with Label Studio's tasks (zip)"] as const;

/**
 * Walks from the form to the exported files.
 * @param owner a person whose key is unlocked, on any page; `other` is the second
 */
export async function walkOwnData(
  { other, owner }: { owner: Walker; other: Walker },
  data: OwnData,
  onMoment: OnMoment = async () => undefined,
): Promise<WalkedData> {
  const efforts: Effort[] = [];
  let [clicks, fields, keys] = [0, 0, 0];
  const click = async (target: Locator) => {
    clicks += 1;
    await target.click(LONG);
  };
  const fill = async (target: Locator, text: string) => {
    fields += 1;
    await target.fill(text, LONG);
  };
  const choose = async (target: Locator, label: string) => {
    clicks += 1;
    await target.selectOption({ label }, LONG);
  };
  const main = ({ page }: Walker) => page.getByRole("main");
  const button = (where: Locator, name: string | RegExp) =>
    where.getByRole("button", { name, exact: typeof name === "string" });
  const menu = ({ page }: Walker, name: string) =>
    click(page.locator("header").getByRole("link", { name, exact: true }));
  const tab = ({ page }: Walker, name: string) =>
    click(
      page
        .getByRole("navigation", { name: "Parts of this Datanet" })
        .getByRole("link", { name, exact: true }),
    );
  const field = (who: Walker, label: string) => main(who).getByLabel(label, { exact: true });
  const moment = (name: string, { page }: Walker) => onMoment(`${data.name}-${name}`, page);
  const step = async (name: string, who: Walker, work: () => Promise<void>) => {
    const before = { clicks, fields, keys, atMs: performance.now() };
    try {
      await work();
    } catch (error) {
      await moment(`failed-${name}`, who);
      throw new Error(`${data.name}: the walk ends at "${name}"`, { cause: error });
    }
    efforts.push({
      step: name,
      clicks: clicks - before.clicks,
      fields: fields - before.fields,
      keys: keys - before.keys,
      seconds: (performance.now() - before.atMs) / 1_000,
    });
  };

  await menu(owner, "Datanets");
  await step("create", owner, async () => {
    await click(main(owner).getByRole("link", { name: "New Datanet" }));
    const chosen = owner.page.waitForEvent("filechooser", LONG);
    await click(main(owner).getByText(data.isFolder ? "Choose a folder" : "Choose files", { exact: true }));
    await (await chosen).setFiles(data.path);
    // The form takes from the files what they say.
    await main(owner)
      .getByText(new RegExp(`^${data.rows.length} rows\\. `))
      .waitFor(LONG);
    await main(owner).getByRole("radio", { name: data.task, checked: true }).waitFor(LONG);
    await fill(field(owner, "Name"), data.title);
    await fill(field(owner, "Description"), data.description);
    if (data.isLabelledByBoth) await fill(field(owner, "Labels, one per line"), data.labels.join("\n"));
    await choose(field(owner, "Who can read the rows"), "everybody");
    await fill(field(owner, "Licence"), "CC-BY-4.0");
    if (data.isLabelledByBoth)
      await choose(field(owner, "Who labels a row"), "its contributor and one other person");
    await moment("01-form", owner);
    await click(button(main(owner), /^Create Datanet/));
    await owner.page.getByRole("heading", { name: data.title }).waitFor(LONG);
  });
  await step("contribute", owner, async () => {
    const preview = owner.page.getByRole("region", { name: "Preview" });
    await button(preview, /^Contribute \d+ rows$/).waitFor(LONG);
    await moment("02-preview", owner);
    const similar = preview.locator("summary").filter({ hasText: "Nearly the same as another row" });
    // The card's usual rule would leave them out: they are part of the data here.
    if ((await similar.filter({ hasText: "left out" }).count()) > 0) {
      await click(similar);
      await click(preview.getByLabel("Leave these rows out"));
    }
    await click(button(preview, `Contribute ${data.rows.length} rows`));
    await owner.page.getByRole("article", { name: /^Contribution of/ }).waitFor(LONG);
    await moment("03-under-way", owner);
    await main(owner).getByText(`${data.rows.length} rows are in.`).waitFor(LONG);
    await moment("04-in", owner);
  });
  const labelAll = async (who: Walker) => {
    const row = who.page.getByRole("region", { name: "Row to label" });
    const content = row.locator(".row-content, .row-picture").first();
    let last: OwnData["rows"][number] | null = null;
    for (let i = 0; i < data.rows.length; i++) {
      last = await nextRow(data, content, last);
      if (i === 0) await moment(`05-label-${who.name}`, who);
      const choice = button(row, new RegExp(`${last.label}$`));
      keys += 1;
      await who.page.keyboard.press((await choice.locator("kbd").textContent(LONG))!);
    }
    await who.page.getByText("Nothing left for you to label").waitFor(LONG);
    // The last labels go by themselves after a while: on a busy machine they may be gone already.
    const [send, sent] = [
      button(main(who), /^Send (it|them) now$/),
      who.page.getByText("has your label, or enough labels"),
    ];
    await send.or(sent).first().waitFor(LONG);
    if (await send.isVisible()) {
      clicks += 1;
      await Promise.race([send.click(LONG), sent.waitFor(LONG)]);
    }
    await sent.waitFor(LONG);
    await moment(`06-labelled-${who.name}`, who);
  };
  await step("label", other, async () => {
    await menu(other, "Datanets");
    await click(main(other).getByRole("link", { name: data.title }));
    await tab(other, "Label");
    await labelAll(other);
  });
  if (data.isLabelledByBoth)
    await step("label own", owner, async () => {
      await tab(owner, "Label");
      await labelAll(owner);
    });
  await step("review", owner, async () => {
    await tab(owner, "Versions");
    await button(main(owner), "Approve").waitFor(LONG);
    await moment("07-review", owner);
    await click(button(main(owner), "Approve"));
    await main(owner).getByText("approved", { exact: true }).waitFor(LONG);
  });
  await step("publish", owner, async () => {
    const sign = main(owner).getByRole("button", { name: /^Sign version \d+$/, disabled: false });
    await sign.waitFor(LONG);
    await moment("08-version", owner);
    await click(sign);
    await main(owner).getByText("Published.").waitFor(LONG);
    await moment("09-published", owner);
  });
  const files = new Map<string, Buffer>();
  await step("export", owner, async () => {
    for (const format of [...EXPORTS, ...(hasPictures(data) ? PICTURES : TASKS)]) {
      await choose(field(owner, "Format"), format);
      const count = format.startsWith("Parquet") ? 2 : 1;
      const saved = downloadsOf(owner.page, count);
      await click(button(main(owner), `Download ${data.rows.length} rows`));
      for (const [name, content] of await saved) files.set(`${format}/${name}`, content);
    }
    await moment("10-exported", owner);
  });
  return { efforts, files };
}

export const hasPictures = ({ rows }: OwnData): boolean =>
  rows.some(({ fields }) => Object.values(fields).some((value) => typeof value === "object"));

/** Row of the source that is shown; null if it is none, or not yet whole. */
function rowOf({ rows, title }: OwnData, shown: string): OwnData["rows"][number] | null {
  const found = rows.filter(({ fields }) =>
    Object.values(fields).every((value) =>
      typeof value === "object" ? shown.endsWith(value.toString("base64")) : isIn(String(value), shown),
    ),
  );
  if (found.length > 1) throw new Error(`${title}: ${found.length} rows look like ${shown.slice(0, 200)}`);
  return found[0] ?? null;
}

/** True if a text stands in what is shown, as words of their own. */
const isIn = (value: string, shown: string) => ` ${wordsOf(shown)} `.includes(` ${wordsOf(value)} `);
const wordsOf = (text: string) => text.split(/\s+/).filter(Boolean).join(" ");

/** What a labeller sees of a row: its text, its fields, or the picture's address. */
const shownOf = async (content: Locator): Promise<string> =>
  (await content.getAttribute("src")) ?? (await content.innerText());

/** Waits until another row is shown than the last one. */
async function nextRow(
  data: OwnData,
  content: Locator,
  last: OwnData["rows"][number] | null,
): Promise<OwnData["rows"][number]> {
  const endAtMs = performance.now() + LONG.timeout;
  while (performance.now() < endAtMs) {
    const row = (await content.count()) === 0 ? null : rowOf(data, await shownOf(content));
    if (row !== null && row !== last) return row;
    await content.page().waitForTimeout(10);
  }
  throw new Error(`${data.title}: the next row has not come`);
}

/** Collects the next downloads of a page. */
async function downloadsOf(page: Page, count: number): Promise<[string, Buffer][]> {
  const files: [string, Buffer][] = [];
  return new Promise((settle, fail) => {
    const onDownload = async (download: import("playwright-core").Download) => {
      const parts: Buffer[] = [];
      for await (const part of await download.createReadStream()) parts.push(part as Buffer);
      files.push([download.suggestedFilename(), Buffer.concat(parts)]);
      if (files.length < count) return;
      page.off("download", take);
      settle(files);
    };
    const take = (download: import("playwright-core").Download) => void onDownload(download).catch(fail);
    page.on("download", take);
    page.once("close", () => fail(new Error("the page is closed")));
  });
}
