/**
 * A mailbox in a folder that members share, by a network drive or a synchronized folder: one file a message, under its session's
 * name. Who can write there can hinder a session, and do nothing else.
 */
import { constants } from "node:fs";
import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { MAX_GROUP_MESSAGE_BYTES } from "@openledger/datanets/records/group-message";
import { writeFileWhole } from "@openledger/foundation/whole-file";
import type { Hex } from "viem";
import type { ListingMailbox } from "./group-messages.ts";

/** Bounds of what is read, beside MAX_GROUP_MESSAGE_BYTES: more than any session of 16 members has. */
const MAX_MESSAGES = 512;
const MAX_SESSIONS = 1_000;
const SESSION = /^[0-9a-f]{64}$/;
const NAME = /^[0-9a-f]{64}\.json$/;

export function folderMailbox(folder: string): ListingMailbox {
  const folderOf = (session: string) => join(folder, session.slice(2));
  return {
    post: async (message) => {
      const text = JSON.stringify(message);
      const name = `${bytesToHex(sha256(utf8ToBytes(text)))}.json`;
      await writeFileWhole(join(folderOf(message.session), name), text);
    },
    read: async (session) => {
      const names = await namesIn(folderOf(session), NAME);
      const read = names.slice(0, MAX_MESSAGES).map((name) => readMessage(join(folderOf(session), name)));
      return (await Promise.all(read)).flatMap((value) => value ?? []);
    },
    sessions: async () =>
      (await namesIn(folder, SESSION)).slice(-MAX_SESSIONS).map((name): Hex => `0x${name}`),
  };
}

async function namesIn(folder: string, form: RegExp): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => form.test(name)).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** Flags of an open that neither follows a link nor waits for the other end of a pipe. */
const READ_PLAIN = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** The file's value; null if it is no message: not whole yet, too large, no plain file, or no JSON. */
async function readMessage(path: string): Promise<unknown> {
  try {
    const file = await open(path, READ_PLAIN);
    try {
      if (!(await file.stat()).isFile()) return null;
      const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(MAX_GROUP_MESSAGE_BYTES + 1) });
      return bytesRead <= MAX_GROUP_MESSAGE_BYTES ? JSON.parse(buffer.toString("utf8", 0, bytesRead)) : null;
    } finally {
      await file.close();
    }
  } catch {
    return null;
  }
}
