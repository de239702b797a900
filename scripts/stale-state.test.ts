import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { staleWrites } from "./testing/stale-state.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const IS_PAGE = /^web\/(?!.*\/testing\/|testing\/).*(?<!\.test)\.tsx?$/;

/** Calls that are found in a component with these statements. */
const foundIn = (statements: string) =>
  staleWrites("web/a.tsx", `function Form({ draft, onDraft, props }) {\n${statements}\n}`).map((one) =>
    one.replace(/^web\/a\.tsx:\d+: /, ""),
  );

it("no page writes a state from before an await", () => {
  const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "web"], {
    cwd: ROOT,
    encoding: "utf8",
  });
  const pages = files.split("\n").filter((file) => IS_PAGE.test(file));
  expect(pages.length, "pages that are read").toBeGreaterThan(150);
  expect(pages.flatMap((file) => staleWrites(file, readFileSync(join(ROOT, file), "utf8")))).toEqual([]);
});

it("a prop or a state of before an await is found, however it gets into the new one", () => {
  expect(
    foundIn(`
      const [texts, setTexts] = useState({});
      const take = (files) => run(async () => {
        const read = await readAll(files);
        onDraft(withProposal(draft, read));
        onDraft({ ...draft, read });
        props.onFound([...texts.list, read]);
      });`),
  ).toEqual([
    "onDraft(withProposal(draft, read))",
    "onDraft({ ...draft, read })",
    "props.onFound([...texts.list, read])",
  ]);
  expect(
    foundIn(`
      const [turns, setTurns] = useState([]);
      const ask = async () => {
        const pending = { text };
        setTurns(pending);
        await answer(() => setTurns({ ...pending, soFar }));
        const next = [...turns, 1];
        setTurns(next);
        sessionStorage.setItem(keyOf(draft), JSON.stringify(turns));
      };
      load().then((value) => setTurns(turns.concat(value)));`),
  ).toEqual([
    "setTurns({ ...pending, soFar })",
    "setTurns(next)",
    "sessionStorage.setItem(keyOf(draft), JSON.stringify(turns))",
    "setTurns(turns.concat(value))",
  ]);
});

it("a state's own spread is found without an await, since its handler may be called behind one", () => {
  const state = "const [begun, setBegun] = useState({});";
  expect(foundIn(`${state} return <Part onDraft={(draft) => setBegun({ ...begun, draft })} />;`)).toEqual([
    "setBegun({ ...begun, draft })",
  ]);
  expect(
    foundIn(`${state} return <Part onDraft={(draft) => setBegun((now) => ({ ...now, draft }))} />;`),
  ).toEqual([]);
});

it("a field that is emptied behind an await is disabled meanwhile", () => {
  const form = (more: string) => `
    const [url, setUrl] = useState("");
    const add = () => run(async () => { await send(url); setUrl(""); });
    return <Field value={url} onInput={setUrl} ${more} />;`;
  expect(foundIn(form(""))).toEqual(['setUrl("")']);
  expect(foundIn(form("isDisabled={isBusy}"))).toEqual([]);
});

it("what is written before an await, comes from it, or is merged by an updater is not found", () => {
  expect(
    foundIn(`
      const [steps, setSteps] = useState([]);
      const [secret, setSecret] = useState(null);
      const [isOpen, setOpen] = useState(false);
      const work = () => run(async () => {
        setSecret(wordsOf(draft));
        const found = await check(steps, (step) => setSteps((known) => [...known, step]));
        setSecret((await add({ ...draft })).secret);
        setSteps([...found]);
        setOpen(false);
        onDraft((now) => withProposal(now, found));
      });`),
  ).toEqual([]);
});
