/**
 * First half of the road of data that people have in files: one opens the Datanet, contributes, reviews, publishes and exports, both
 * label. The other half is in to-reward.ts.
 */
import type { Locator } from "playwright-core";
import type { OwnData } from "./own-data-files.ts";
import { downloadsOf } from "./to-reward.ts";
import { buttonOf, fieldOf, LONG, type Walk, type Walker } from "./walk.ts";

/** Formats that the page offers, as it names them. */
const EXPORTS = ["JSON lines", "Parquet, with a Croissant file"] as const;
/** Further ones, of rows that are no pictures, and of pictures. */
const TASKS = ["Label Studio's JSON"] as const;
const PICTURES = ["Pictures with a table (zip)", "Pictures with Label Studio's tasks (zip)"] as const;

/**
 * Walks from the form to the exported files.
 * @param owner a person whose key is unlocked, on any page; `other` is the second
 * @returns downloaded files by name
 */
export async function walkToVersion(
  walk: Walk,
  { other, owner }: { readonly owner: Walker; readonly other: Walker },
  data: OwnData,
): Promise<ReadonlyMap<string, Buffer>> {
  const rowCount = data.rows.length;
  await walk.step("create", owner, async () => {
    await walk.menu(owner, "Datanets");
    await walk.click(owner.main.getByRole("link", { name: "New Datanet" }));
    const chosen = owner.page.waitForEvent("filechooser");
    await walk.click(
      owner.main.getByText(data.isFolder ? "Choose a folder" : "Choose files", { exact: true }),
    );
    await (await chosen).setFiles(data.path);
    // The form takes from the files what they say.
    await owner.main.getByText(new RegExp(`^${rowCount} rows\\. `)).waitFor();
    await owner.main.getByRole("radio", { name: data.task, checked: true }).waitFor();
    await walk.fill(fieldOf(owner, "Name"), data.title);
    await walk.fill(fieldOf(owner, "Description"), data.description);
    if (data.typedLabels.length > 0)
      await walk.fill(fieldOf(owner, "Labels, one per line"), data.typedLabels.join("\n"));
    await walk.choose(fieldOf(owner, "Who can read the rows"), "everybody");
    await walk.fill(fieldOf(owner, "Licence"), "CC-BY-4.0");
    if (data.labelledBy === "both")
      await walk.choose(fieldOf(owner, "Who labels a row"), "its contributor and one other person");
    await walk.click(buttonOf(owner, /^Create Datanet/));
    await owner.page.getByRole("heading", { name: data.title }).waitFor();
  });
  await walk.step("contribute", owner, async () => {
    const preview = { main: owner.page.getByRole("region", { name: "Preview" }) };
    await buttonOf(preview, /^Contribute \d+ rows$/).waitFor();
    const similar = preview.main.locator("summary").filter({ hasText: "Near-duplicates" });
    // The card's usual rule would leave them out: they are part of the data here.
    if ((await similar.filter({ hasText: "left out" }).count()) > 0) {
      await walk.click(similar);
      await walk.click(preview.main.getByLabel("Leave these rows out"));
    }
    await walk.click(buttonOf(preview, `Contribute ${rowCount} rows`));
    await owner.page.getByRole("article", { name: /^Contribution of/ }).waitFor();
    await owner.main.getByText(`${rowCount} rows were contributed.`).waitFor();
  });
  if (data.labelledBy !== "contributor")
    await walk.step("label", other, async () => {
      await walk.menu(other, "Datanets");
      await walk.click(other.main.getByRole("link", { name: data.title }));
      await walk.tab(other, "Label");
      await labelAll(walk, other, data);
    });
  if (data.labelledBy === "both")
    await walk.step("label own", owner, async () => {
      await walk.tab(owner, "Label");
      await labelAll(walk, owner, data);
    });
  await walk.step("review", owner, async () => {
    await walk.tab(owner, "Versions");
    await walk.click(buttonOf(owner, "Approve"));
    await owner.main.getByText("approved", { exact: true }).waitFor();
  });
  await walk.step("publish", owner, async () => {
    await walk.click(owner.main.getByRole("button", { name: /^Sign version \d+$/, disabled: false }));
    await owner.main.getByText("Published.").waitFor();
  });
  const files = new Map<string, Buffer>();
  await walk.step("export", owner, async () => {
    for (const format of [...EXPORTS, ...(hasPictures(data) ? PICTURES : TASKS)]) {
      await walk.choose(fieldOf(owner, "Format"), format);
      const count = format.startsWith("Parquet") ? 2 : 1;
      const saved = downloadsOf(owner.page, count);
      await walk.click(buttonOf(owner, `Download ${rowCount} rows`));
      for (const [name, content] of await saved) files.set(`${format}/${name}`, content);
    }
  });
  return files;
}

/** Labels each row by the key that stands beside its label. */
async function labelAll(walk: Walk, who: Walker, data: OwnData): Promise<void> {
  const row = { main: who.page.getByRole("region", { name: "Row to label" }) };
  const content = row.main.locator(".row-content, .row-picture").first();
  let last: OwnData["rows"][number] | null = null;
  for (let i = 0; i < data.rows.length; i++) {
    last = await nextRow(data, content, last);
    const key = buttonOf(row, new RegExp(`${last.label}$`)).locator("kbd");
    await walk.press(who, (await key.textContent())!);
  }
  await who.page.getByText("Nothing left for you to label").waitFor();
  // The last labels go by themselves after a while: on a busy machine they may be gone already.
  const [send, sent] = [
    buttonOf(who, /^Send (it|them) now$/),
    who.page.getByText("has your label or enough labels"),
  ];
  await send.or(sent).first().waitFor();
  if (await send.isVisible()) await Promise.race([walk.click(send), sent.waitFor()]);
  await sent.waitFor();
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

/** Content of a row as a labeller sees it: its text, its fields, or the picture's address. */
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
