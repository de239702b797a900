/**
 * Form of a Datanet's card, for a new Datanet and for changes by its owner. A draft of texts is parsed as it is typed; problems
 * are shown at their fields.
 */
import type { RowKind } from "@openledger/attribution/rows/row-kinds";
import { type Card, cardSchema, type NamedCard, nameCard } from "@openledger/datanets/card/card";
import { CARD_LICENCES } from "@openledger/datanets/terms/licence-conditions";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Button } from "../design/button.tsx";
import { Choice } from "../design/choice.tsx";
import { Field } from "../design/field.tsx";
import { Notice } from "../design/notice.tsx";
import type { Action } from "../ledger/use-action.ts";
import { showCount } from "../words/format.ts";
import { sayIssue } from "../words/issues.ts";
import { ProblemNotice } from "../words/problem.tsx";
import {
  type CardDraft,
  cardOfDraft,
  type PeopleName,
  peopleOf,
  sayDigests,
  sayPeople,
  withPeople,
} from "./card-draft.ts";
import { sayNoLabels, sayUse, TASK_NAMES, TASKS, type TaskName, withTask } from "./card-tasks.ts";
import { TermsMeaning } from "./card-terms.tsx";

export interface CardFormProps {
  readonly draft: CardDraft;
  readonly onDraft: (change: (draft: CardDraft) => CardDraft) => void;
  /** Card that the ledger has now; null for a new Datanet. */
  readonly before: Card | null;
  readonly action: Action;
  /** First step of a new Datanet. */
  readonly begin?: ComponentChildren;
  /** Further fields that rarely change. */
  readonly advanced?: ComponentChildren;
  /** Cost of signing. */
  readonly cost?: ComponentChildren;
  /** True while a question about its files is open. */
  readonly isDisabled?: boolean;
  readonly submitLabel: string;
  readonly onSubmit: (card: NamedCard) => void;
}

type ChoiceName = "task" | "kind" | "access" | "accept" | "validator" | "ownRows" | "nearDuplicates";
type TextName = Exclude<keyof CardDraft, ChoiceName>;
interface FieldMore {
  /** Path in the card whose errors are shown at this field; default: the field's name. */
  readonly at?: string;
  readonly lineCount?: number;
  readonly placeholder?: string;
  readonly help?: string;
  /** Values that are often written. */
  readonly suggestions?: readonly string[];
}

/** Kinds of rows, in words. */
export const KINDS: Readonly<Record<RowKind, string>> = {
  text: "a text",
  passage: "a passage, or a prompt with its answer, for language models",
  table: "a row of a table: numbers, categories, texts, yes or no",
  image: "a picture: PNG, JPEG, GIF, WebP",
};

/** Answers to the question who labels a row. */
const PEOPLE_LABELS: readonly { readonly name: PeopleName; readonly label: string }[] = [
  { name: "one-other", label: "one person other than its contributor" },
  { name: "both", label: "its contributor and one other person" },
  { name: "two-others", label: "two people other than its contributor" },
  { name: "alone", label: "its contributor" },
  { name: "other", label: "as set under Advanced" },
];

/** Form of a Datanet's card. Fields with usual values are under Advanced. The ledger gets the card's hash. */
export function CardForm({
  action,
  advanced,
  before,
  begin,
  cost,
  draft,
  isDisabled = false,
  onDraft,
  onSubmit,
  submitLabel,
}: CardFormProps) {
  const [triedCount, setTriedCount] = useState(0);
  const { named, wrong, why } = read(draft, before);
  const set =
    <Name extends keyof CardDraft>(name: Name) =>
    (value: CardDraft[Name]) =>
      onDraft((now) => ({ ...now, [name]: value }));
  const problemAt = (at: string) => {
    const [, sentence = null] =
      [...wrong].find(([path]) => triedCount > 0 && (path === at || path.startsWith(`${at}.`))) ?? [];
    return sentence;
  };
  const field = (label: string, name: TextName, { at = name, ...more }: FieldMore = {}) => (
    <Field label={label} {...more} value={draft[name]} onInput={set(name)} problem={problemAt(at)} />
  );
  const choice = <Name extends ChoiceName>(
    label: string,
    name: Name,
    labels: Readonly<Record<CardDraft[Name], string>>,
    help?: string,
  ) => (
    <Choice
      label={label}
      help={help}
      value={draft[name]}
      onChoose={set(name)}
      problem={problemAt(name)}
      options={(Object.entries(labels) as [CardDraft[Name], string][]).map(([name, label]) => ({
        name,
        label,
      }))}
    />
  );
  const form = useRef<HTMLFormElement>(null);
  const [isOpen, setOpen] = useState(before !== null);
  useEffect(() => {
    const field = form.current?.querySelector<HTMLElement>("[aria-invalid=true]");
    const around = field?.closest("details");
    if (triedCount === 0 || field == null) return;
    if (around != null) around.open = true;
    field.focus();
  }, [triedCount]);
  return (
    <form
      ref={form}
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        // Tried once more, the first wrong field is where one writes next.
        setTriedCount((count) => (named === null ? count + 1 : count));
        if (named !== null) onSubmit(named);
      }}
    >
      {begin}
      {before === null && (
        <TaskChoice task={draft.task} onChoose={(task) => onDraft((now) => withTask(now, task))} />
      )}
      <section class="card stack" aria-label="Basics">
        {field("Name", "name")}
        {field("Description", "description", { lineCount: 4 })}
        {choice("A row is", "kind", KINDS, sayUse(draft.kind))}
        {draft.kind === "table" &&
          field("Fields, one per line", "fields", {
            at: "row.fields",
            lineCount: 4,
            placeholder: "age | number | in years",
            help: "name | number, category, text or boolean | what it means",
          })}
        {field("Labels, one per line", "labels", {
          lineCount: 4,
          placeholder: "good | You would go out.",
          help: "For example: good | The answer is correct. Keys select them: 1 to 9, then q, w, e and further letters.",
        })}
        {sayNoLabels(draft) !== null && <p class="soft small">{sayNoLabels(draft)}</p>}
        {draft.labels.trim() !== "" && (
          <Choice<PeopleName>
            label="Who labels a row"
            help={sayPeople(draft) ?? undefined}
            value={peopleOf(draft)}
            onChoose={(name) => onDraft((now) => withPeople(now, name))}
            options={PEOPLE_LABELS.filter(({ name }) => name !== "other" || peopleOf(draft) === "other")}
          />
        )}
        <div class="columns columns-small">
          {choice(
            "Who can read the rows",
            "access",
            {
              ...(draft.access === "" ? { "": "Choose one" } : {}),
              public: "everybody",
              permissioned: "whom you grant access",
            } as Record<CardDraft["access"], string>,
            sayDigests(draft, before) ?? undefined,
          )}
          {field("Licence", "licence", {
            suggestions: CARD_LICENCES,
            placeholder: "CC-BY-4.0",
            help: "An SPDX identifier, or LicenseRef-NAME for terms of your own.",
          })}
        </div>
        <TermsMeaning licence={draft.licence} />
        <div class="columns columns-small">
          {field("Languages of the rows", "languages", {
            placeholder: "en, pt-BR",
            help: "Public: search and each model's papers go by them.",
          })}
          {field("Field", "field", { placeholder: "medicine, law, weather", help: "Public, for search." })}
          {field("Contact", "contact", {
            placeholder: "you@example.org",
            help: "Public: how people reach you.",
          })}
        </div>
      </section>
      <details class="card" open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          <strong>Advanced</strong> <span class="soft">tags, sizes, labelling, rewards</span>
        </summary>
        <div class="stack folded">
          <div class="columns columns-small">
            {field("Tags", "tags", { placeholder: "short, english" })}
            {field("Maximum size in bytes", "maxBytes", { at: "row.maxBytes" })}
          </div>
          {field("Instructions for labellers", "instructions", { lineCount: 4 })}
          {field("Examples, one per line", "examples", {
            lineCount: 3,
            placeholder: "good | The sun shines. | You stay dry.",
            help: "label | the row | why",
          })}
          {field("Terms file, as JSON", "termsFile", {
            at: "terms.file",
            lineCount: 3,
            placeholder:
              '{"format": "openledger-terms-1", "about": "No training.", "aipref": {"train-ai": "n"}}',
            help: "What machines may do, in the words of RSL 1.0 and AIPREF. The licence then names the file by its hash.",
          })}
          {advanced}
          <section class="stack" aria-label="Roles">
            <h2>Who may do what</h2>
            <div class="columns columns-small">
              {field("Labels per row", "annotatorsPerRow", { at: "labelling.annotatorsPerRow" })}
              {choice("A label is accepted if", "accept", {
                all: "all agree",
                majority: "more than half agree",
              })}
            </div>
            <div class="columns columns-small">
              {field("Labellers", "labellers", {
                at: "labelling.labellers",
                placeholder: "anyone",
                help: "Account numbers, separated by commas. If empty: anyone",
              })}
              {field("Reviewers", "reviewers", {
                at: "labelling.reviewers",
                help: "They settle disputes, approve contributions and leave rows out",
              })}
              {field("Teams, one per line", "teams", {
                at: "labelling.teams",
                lineCount: 2,
                placeholder: "Lisbon | 12, 15",
                help: "name | account numbers. Progress is shown per team. An account can be in one team only",
              })}
            </div>
            <div class="columns columns-small">
              {choice("Validator of a row", "validator", {
                drawn: "drawn among accepted labellers",
                owner: "who approves the contribution",
              })}
              {choice("Contributors' own rows", "ownRows", {
                refused: "labelled and validated by others",
                allowed: "contributors may label them",
              })}
              {choice("Near-duplicates", "nearDuplicates", {
                "leave-out": "remove",
                share: "keep, sharing one reward",
                keep: "keep",
              })}
              {field("Similarity threshold (%)", "similarity", { at: "rewards.textSimilarityPermille" })}
              {field("Payments by citation (%)", "citation", {
                at: "rewards.citationPermille",
                help: "For models that cite rows. If empty: set by each model",
              })}
            </div>
          </section>
        </div>
      </details>
      <section class="card stack" aria-label="Sign">
        {named === null ? (
          triedCount > 0 && (
            <Notice tone="bad" title="The card is incomplete.">
              <p>
                {why === null
                  ? `${wrong.size === 1 ? "One field needs" : `${showCount(wrong.size)} fields need`} attention. See the notes below the fields.`
                  : `The card is too long: ${why}.`}
              </p>
            </Notice>
          )
        ) : (
          <p class="soft small">
            Card hash for the ledger: <code class="hash">{hex32(named.policy)}</code>
          </p>
        )}
        {cost !== undefined && <p class="soft small">{cost}</p>}
        {isDisabled && <p class="small">Choose above how your files are read.</p>}
        <div class="row">
          <Button isMain type="submit" isBusy={action.isBusy} isDisabled={isDisabled}>
            {submitLabel}
          </Button>
        </div>
        {action.problem !== null && <ProblemNotice problem={action.problem} />}
      </section>
    </form>
  );
}

/** First question of a new Datanet: what it is for. It presets what a row is. */
function TaskChoice({ onChoose, task }: { task: TaskName | ""; onChoose: (task: TaskName) => void }) {
  return (
    <fieldset class="card task-choice">
      <legend>What is this Datanet for?</legend>
      {TASK_NAMES.map((name) => (
        <label key={name} class="task">
          <input type="radio" name="task" checked={task === name} onChange={() => onChoose(name)} />
          <span>
            <strong>{TASKS[name].title}</strong>
            <span class="soft small">{TASKS[name].about}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}

function read(
  draft: CardDraft,
  before: Card | null,
): { named: NamedCard | null; wrong: ReadonlyMap<string, string>; why: string | null } {
  const card = cardOfDraft(draft, before);
  const { error } = cardSchema.safeParse(card);
  if (error !== undefined) {
    // The first error of each field: the next one comes to light when that is mended.
    const wrong = new Map<string, string>();
    for (const issue of error.issues) {
      const path = issue.path.join(".");
      if (!wrong.has(path)) wrong.set(path, sayIssue(issue));
    }
    return { named: null, wrong, why: null };
  }
  try {
    return { named: nameCard(card), wrong: new Map(), why: null };
  } catch (cause) {
    // The card as a whole: it is too long.
    if (!isRollupError(cause)) throw cause;
    return { named: null, wrong: new Map(), why: String((cause.data as { why?: unknown }).why) };
  }
}
