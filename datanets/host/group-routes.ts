/**
 * Routes of the Datanet host as a mailbox of groups that own a key together (client/groups). Messages are signed and shares are sealed:
 * the host can keep them back, which ends a session in time, and nothing else. host-api.ts registers the routes.
 */
import { hex32 } from "@openledger/foundation/hex";
import { setCost } from "@openledger/foundation/http/answer-costs";
import { routesOf } from "@openledger/foundation/wire/zod-routes";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { datanetError } from "../datanet-errors.ts";
import {
  checkMessages,
  groupMessageSchema,
  MAX_GROUP_MESSAGE_BYTES,
  word,
} from "../records/group-message.ts";
import { listMessages, listSessions, storeMessage } from "../store/group-mail.ts";
import type { HostContext } from "./host-context.ts";
import { SIGNED, signedFirst, signerOf } from "./host-request.ts";
import { entriesCost } from "./scan-costs.ts";

/** Keys of one request: the members of a set, and those of the one that it replaces. */
const MAX_KEYS = 32;
/** Keys whose sessions are looked for in the time of a unit. */
const KEYS_PER_UNIT = 8;
const keys = z
  .string()
  .max(MAX_KEYS * 67)
  .transform((text) => text.split(","))
  .pipe(z.array(word).min(1).max(MAX_KEYS));

/** Messages between the members of groups. */
export function registerGroupRoutes(app: FastifyInstance, context: HostContext): void {
  const route = routesOf(app);
  const { domain, nowMs, quotas, store } = context;
  const { database } = store;

  route(
    "PUT /v1/group-messages",
    {
      bodyLimit: MAX_GROUP_MESSAGE_BYTES,
      ...signedFirst(context),
      tag: "groups",
      summary: "Bring a message of a group's member: one for each session and step, deleted after eight days",
      body: groupMessageSchema,
      ...SIGNED,
    },
    async (request) => {
      const message = request.body;
      const signer = await signerOf(context, request);
      // A member's own: strangers fill neither a session nor a member's quota.
      if (hex32(signer.keyX) !== message.from || checkMessages(domain, [message]).length === 0)
        throw datanetError(
          "DNT_RECORD_INVALID",
          `the message is not signed by the key of leaf ${signer.id}`,
          {
            data: { leafId: signer.id, reason: "group-message" },
          },
        );
      await storeMessage(database, message, { atMs: nowMs(), leafId: signer.id, quotas });
      return { session: message.session, step: message.step };
    },
  );

  route(
    "GET /v1/group-messages",
    {
      tag: "groups",
      summary: "Messages of a session, of these members' keys",
      querystring: z.strictObject({ session: word, from: keys.optional() }),
      config: { maxCost: () => MAX_KEYS },
    },
    async (request) => {
      const { from, session } = request.query;
      const messages = await listMessages(database, session, from ?? null);
      setCost(request, 1 + messages.length / 8);
      return { messages };
    },
  );

  route(
    "GET /v1/group-sessions",
    {
      tag: "groups",
      summary: "Sessions that these keys have invited to, or in which they propose, newest first",
      querystring: z.strictObject({ from: keys }),
      config: { maxCost: ({ query }) => (query as { from: readonly string[] }).from.length / KEYS_PER_UNIT },
    },
    async (request) => {
      const { from } = request.query;
      const sessions = await listSessions(database, from);
      setCost(request, from.length / KEYS_PER_UNIT + entriesCost(sessions.length));
      return { sessions };
    },
  );
}
