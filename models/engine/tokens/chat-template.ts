/**
 * The chat template of a base: a stranger's Jinja program that makes the text of a prompt out of messages and tools. Free and paid
 * chats, and training on conversations, are rendered here, so that one chat is one text everywhere.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import type { Chat, ChatMessage, ChatTool } from "@openledger/attribution/model/model-chat";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { modelError } from "../../model-errors.ts";
import { type ParsedTemplate, parseTemplate, renderTemplate, TemplateRefusal } from "./jinja-reference.ts";

/** Published templates have up to 20 kB. */
const MAX_TEMPLATE_BYTES = 2 ** 17;
/** Nodes of the template that one rendering computes: a chat of 100 messages takes about 10,000. */
const MAX_STEPS = 400_000;
/** Characters of a text that a template makes. */
const MAX_TEXT_LENGTH = 2 ** 22;
/** Messages and tools of a chat. */
const MAX_CHAT_ENTRIES = 1_000;
/** Characters of all texts of a chat. */
const MAX_CHAT_LENGTH = 2 ** 21;
/** Levels of lists and objects in a tool's schema. */
const MAX_DEPTH = 32;

export interface ChatTemplateFiles {
  /** Text of the template. */
  readonly source: string;
  /** Names of special tokens that templates write, as `bos_token`. */
  readonly names: Readonly<Record<string, string>>;
  /** Contents of all special tokens: no message may spell one. */
  readonly marks: readonly string[];
}

/** Texts that stand around the last question of every chat. */
export interface QuestionMarks {
  readonly before: string;
  readonly after: string;
}

/** Texts that no template contains. */
const PROBE = (i: number) => `xq${i}qx`;
const PROBE_DATE = "2000-01-01";

function commonEnd(a: string, b: string): string {
  let length = 0;
  while (length < Math.min(a.length, b.length) && a.at(-1 - length) === b.at(-1 - length)) length++;
  return a.slice(a.length - length);
}

/** A base's chat template. Rendering is deterministic: the same chat and date give the same text on every machine. */
export class ChatTemplate {
  /** SHA-256 of the template's text, in hexadecimal. */
  readonly sha256: string;
  readonly #parsed: ParsedTemplate;
  readonly #names: ChatTemplateFiles["names"];
  readonly #marks: readonly string[];
  readonly #isOfTools: boolean;
  readonly #hasDate: boolean;

  /** @throws RollupError MOD_FILE_INVALID for a template that is no Jinja or is too long */
  constructor({ marks, names, source }: ChatTemplateFiles) {
    const bytes = utf8ToBytes(source);
    if (bytes.length > MAX_TEMPLATE_BYTES)
      throw invalidTemplate(`it has ${bytes.length} bytes, at most ${MAX_TEMPLATE_BYTES} are read`);
    try {
      this.#parsed = parseTemplate(source);
    } catch (cause) {
      throw invalidTemplate(reasonOf(cause), cause);
    }
    this.sha256 = bytesToHex(sha256(bytes));
    this.#names = names;
    // A mark may begin as another one does.
    this.#marks = [...marks].sort((a, b) => b.length - a.length);
    this.#isOfTools = /\btools\b/.test(source);
    this.#hasDate = /\bstrftime_now\b/.test(source);
  }

  /**
   * The text of a chat, up to where the assistant's answer begins.
   *
   * @param date that the template may write, as YYYY-MM-DD
   * @param areMarksTaken rows of a version are read as they are: no asker could be misled by a mark in one
   * @throws RollupError MOD_CHAT_REFUSED for messages that the template refuses or fails on, marks inside a message, and chats or
   *   texts beyond the bounds
   */
  render(chat: Chat, date: string, areMarksTaken = false): string {
    const { messages, tools } = chat;
    this.#require(chat, areMarksTaken ? [] : this.#marks);
    const hasTools = (tools?.length ?? 0) > 0;
    const variables = {
      ...this.#names,
      messages: messages.map(templateMessage),
      tools: hasTools ? tools!.map(templateTool) : null,
      documents: null,
      add_generation_prompt: true,
      strftime_now: (format: unknown) => formatDate(date, String(format)),
    };
    try {
      return renderTemplate(this.#parsed, variables, { maxSteps: MAX_STEPS, maxLength: MAX_TEXT_LENGTH });
    } catch (cause) {
      const own = cause instanceof TemplateRefusal ? "" : "the base's chat template fails on them: ";
      throw refused("messages", own + reasonOf(cause), cause);
    }
  }

  /** The mark that ends an assistant's turn within a chat; null where the template writes none there. */
  get endMark(): string | null {
    const text = this.#probe(["user", "assistant", "user"]);
    if (text === null) return null;
    const behind = text.slice(text.indexOf(PROBE(1)) + PROBE(1).length).trimStart();
    return this.#marks.find((mark) => behind.startsWith(mark)) ?? null;
  }

  /**
   * Text directly before and behind a chat's last question, whatever came before; null where that differs. Some templates
   * write a system message into the question's turn: then it counts as part of the question.
   */
  get questionMarks(): QuestionMarks | null {
    const plain: ChatMessage["role"][][] = [["user"], ["user", "assistant", "user"]];
    return this.#marksOf([["system", "user"], ...plain]) ?? this.#marksOf(plain);
  }

  #marksOf(chats: readonly (readonly ChatMessage["role"][])[]): QuestionMarks | null {
    const around = chats.flatMap((roles) => {
      const text = this.#probe(roles);
      if (text === null) return [];
      const question = PROBE(roles.length - 1);
      const at = text.lastIndexOf(question);
      return [{ before: text.slice(0, at), after: text.slice(at + question.length) }];
    });
    const [first, ...others] = around;
    if (first === undefined || others.some(({ after }) => after !== first.after)) return null;
    const before = around.map((one) => one.before).reduce(commonEnd);
    return before === "" || first.after === "" ? null : { before, after: first.after };
  }

  /** True if its text depends on the date. */
  get hasDate(): boolean {
    return this.#hasDate;
  }

  /** A chat of these roles, whose texts are known; null if the template takes none such. */
  #probe(roles: readonly ChatMessage["role"][]): string | null {
    try {
      return this.render({ messages: roles.map((role, i) => ({ role, content: PROBE(i) })) }, PROBE_DATE);
    } catch (error) {
      if (isRollupError(error, "MOD_CHAT_REFUSED")) return null;
      throw error;
    }
  }

  #require({ messages, tools }: Chat, marks: readonly string[]): void {
    const toolCount = tools?.length ?? 0;
    if (messages.length === 0) throw refused("messages", "there is none");
    if (messages.length > MAX_CHAT_ENTRIES)
      throw refused("messages", `${messages.length} are more than ${MAX_CHAT_ENTRIES}`);
    if (toolCount > MAX_CHAT_ENTRIES)
      throw refused("tools", `${toolCount} are more than ${MAX_CHAT_ENTRIES}`);
    if (toolCount > 0 && !this.#isOfTools)
      throw refused("tools", "the base's chat template has no place for tools");
    let length = 0;
    const check = (value: unknown, param: string, depth = 0): void => {
      if (typeof value === "string") {
        length += value.length;
        if (length > MAX_CHAT_LENGTH)
          throw refused(param, `the chat has more than ${MAX_CHAT_LENGTH} characters`);
        if (hasHalfPair(value)) throw refused(param, "it has half of a surrogate pair");
        // Attack: a mark inside a message would end it and begin one of another role.
        const mark = marks.find((one) => value.includes(one));
        if (mark !== undefined) throw refused(param, `it has the mark ${mark}, which separates messages`);
      } else if (typeof value === "object" && value !== null) {
        if (depth > MAX_DEPTH) throw refused(param, `it is nested more than ${MAX_DEPTH} levels deep`);
        for (const [name, inner] of Object.entries(value)) {
          if (!Array.isArray(value)) check(name, param, depth + 1);
          check(inner, param, depth + 1);
        }
      }
    };
    for (const [i, { content, name, tool_call_id: id, tool_calls: calls }] of messages.entries()) {
      check(content, `messages.${i}.content`);
      check(name, `messages.${i}.name`);
      check(id, `messages.${i}.tool_call_id`);
      check(calls, `messages.${i}.tool_calls`);
      // Attack: JSON's escapes spell a mark that the text of the arguments does not have.
      for (const [k, { function: called }] of (calls ?? []).entries()) {
        const own = `messages.${i}.tool_calls.${k}`;
        check(argumentsOf(called.arguments, own), own);
      }
    }
    for (const [i, tool] of (tools ?? []).entries()) check(tool, `tools.${i}`);
  }
}

/** A message as templates read it: arguments of a call are an object, and nobody's name is told. */
function templateMessage(
  { content, name, role, tool_call_id: id, tool_calls: calls }: ChatMessage,
  i: number,
): object {
  const isCalling = (calls?.length ?? 0) > 0;
  return {
    role: role === "developer" ? "system" : role,
    content: content ?? (isCalling ? null : ""),
    ...(isCalling
      ? {
          tool_calls: calls!.map(({ function: called, id, type }, k) => ({
            id,
            type,
            function: {
              name: called.name,
              arguments: argumentsOf(called.arguments, `messages.${i}.tool_calls.${k}`),
            },
          })),
        }
      : {}),
    ...(role === "tool" && typeof name === "string" ? { name } : {}),
    ...(role === "tool" && typeof id === "string" ? { tool_call_id: id } : {}),
  };
}

function argumentsOf(text: string, param: string): unknown {
  try {
    const value: unknown = JSON.parse(text === "" ? "{}" : text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  } catch {
    // Refused below, as any other text that is no object.
  }
  throw refused(`${param}.function.arguments`, "it is no JSON object");
}

/** A tool as templates read it. `strict` is of how an answer is made, and no part of the text. */
function templateTool({ function: { description, name, parameters }, type }: ChatTool): object {
  return {
    type,
    function: {
      name,
      ...(description == null ? {} : { description }),
      ...(parameters == null ? {} : { parameters }),
    },
  };
}

const MONTHS = "January February March April May June July August September October November December".split(
  " ",
);
const DAYS = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ");

/** Python's strftime of a date at midnight. @throws TypeError for a directive that is not computed */
function formatDate(date: string, format: string): string {
  const [year, month, day] = date.split("-") as [string, string, string];
  const week = DAYS[new Date(`${date}T00:00:00Z`).getUTCDay()]!;
  const name = MONTHS[Number(month) - 1]!;
  const parts: Readonly<Record<string, string>> = {
    Y: year,
    y: year.slice(-2),
    m: month,
    d: day,
    B: name,
    b: name.slice(0, 3),
    A: week,
    a: week.slice(0, 3),
    H: "00",
    M: "00",
    S: "00",
    "%": "%",
  };
  return format.replace(/%(-?)(.)/gs, (directive, minus: string, letter: string) => {
    const part = parts[letter];
    if (part === undefined) throw new TypeError(`strftime_now has ${directive}, which is not computed here`);
    return minus === "" ? part : part.replace(/^0(?=\d)/, "");
  });
}

const hasHalfPair = (text: string) => /[\ud800-\udfff]/u.test(text);

const reasonOf = (cause: unknown) => (cause instanceof Error ? cause.message : String(cause)).slice(0, 500);

const refused = (param: string, reason: string, cause?: unknown) =>
  modelError("MOD_CHAT_REFUSED", `${param}: ${reason.slice(0, 500)}`, {
    data: { param, reason: reason.slice(0, 500) },
    cause,
  });

const invalidTemplate = (reason: string, cause?: unknown) =>
  modelError("MOD_FILE_INVALID", `chat template: ${reason}`, {
    data: { file: "chat template", reason },
    cause,
  });
