/**
 * Tables of a Datanet host in PostgreSQL. Digests are 32 bytes; roots, policies and ids of records are 0x-hex; times are Unix
 * milliseconds.
 */
import type { DatabasePart } from "@openledger/foundation/database/migrate";

const TABLES = `
-- What the host has of a Datanet, counted. Its row is locked by whoever writes anything of the Datanet, so that writes come one
-- after another, whichever host they come to.
create table datanets (
  id integer primary key,
  card_count integer not null default 0,
  commit_count integer not null default 0,
  row_count integer not null default 0,
  record_count integer not null default 0,
  stored_bytes bigint not null default 0,
  -- Grows with each write.
  revision bigint not null default 0,
  -- Facts of the newest card, for the directory.
  policy text,
  field text,
  access text,
  tags text[],
  words tsvector
);
create index datanets_words on datanets using gin (words);

create table cards (
  datanet_id integer not null,
  number integer not null,
  policy text not null,
  card text not null,
  primary key (datanet_id, number)
);
create index cards_policy on cards (datanet_id, policy);

create table commits (
  datanet_id integer not null,
  number integer not null,
  rows_root text not null,
  row_count integer not null,
  contributor_id integer not null,
  -- Place among all commits to the Datanet: it never changes, since the commit was final when the list came.
  commit_index integer not null,
  committed_at_ms bigint,
  -- Number of signed operations before it: tells who was first, across Datanets.
  op_index bigint not null,
  list bytea not null,
  received int4multirange not null default '{}',
  received_count integer not null default 0,
  -- Rows that count for this commit: the others were committed before.
  own_count integer not null default 0,
  rejected_at_ms bigint,
  primary key (datanet_id, number),
  unique (datanet_id, rows_root)
);
-- Slices of a list are read without the rest of it.
alter table commits alter column list set storage external;
create index commits_contributor on commits (contributor_id);

create table contents (
  digest bytea primary key,
  bytes bytea not null
);

-- Rows of a Datanet, numbered from 0 as they came. A row that was committed twice belongs to the earlier commit.
create table rows (
  datanet_id integer not null,
  number integer not null,
  digest bytea not null,
  commit_number integer not null,
  -- Place in the commit.
  place integer not null,
  bytes integer not null,
  -- The contributor's label.
  label text,
  -- Form by the card.
  is_well_formed boolean not null,
  -- What its records say. begun_at is the number of the first record that is no suggestion.
  begun_at integer,
  label_count smallint not null default 0,
  top_label text,
  top_count smallint not null default 0,
  decision text,
  decided_label text,
  gold_label text,
  suggested_label text,
  has_objections boolean not null default false,
  noticed_at_ms bigint,
  primary key (datanet_id, number)
) with (fillfactor = 90);
create unique index rows_digest on rows (digest, datanet_id);
create index rows_commit on rows (datanet_id, commit_number, place);
create index rows_begun on rows (datanet_id, label_count) where begun_at is not null;
create index rows_fresh on rows (datanet_id, number) where begun_at is null;
create index rows_noticed on rows (datanet_id, noticed_at_ms) where noticed_at_ms is not null;

-- Words of the rows, with a word for the Datanet. Apart, since a label must not write its row's words again.
create table row_words (
  datanet_id integer not null,
  number integer not null,
  words tsvector not null,
  primary key (datanet_id, number)
);
create index row_words_words on row_words using gin (words);

-- Rows that are to be read by a newer card than the one by which they were described.
create table descriptions (
  datanet_id integer primary key,
  next_row integer not null,
  end_row integer not null
);

create table versions (
  datanet_id integer not null,
  rows_root text not null,
  row_count integer not null,
  list bytea not null,
  primary key (datanet_id, rows_root)
);
alter table versions alter column list set storage external;

-- Signed records, numbered from 0 as they came.
create table records (
  datanet_id integer not null,
  number integer not null,
  id text not null,
  kind text not null,
  leaf_id integer not null,
  -- The row, the commit's root, or the request that it answers; empty for a request.
  row_number integer,
  about text not null,
  record text not null,
  -- False once the leaf has said something newer about the same. Attack: what a leaf says again and again is read once.
  is_current boolean not null default true,
  primary key (datanet_id, number)
);
create unique index records_id on records (datanet_id, id);
create index records_row on records (datanet_id, row_number, number) where row_number is not null and is_current;
create index records_about on records (datanet_id, kind, about, leaf_id) where row_number is null;

-- The last label of each leaf for a row.
create table labels (
  datanet_id integer not null,
  row_number integer not null,
  leaf_id integer not null,
  label text not null,
  at_ms bigint not null,
  saw_suggestion boolean not null,
  first_record integer not null,
  primary key (datanet_id, row_number, leaf_id)
);
create index labels_leaf on labels (datanet_id, leaf_id);

create table label_leases (
  datanet_id integer not null,
  row_number integer not null,
  leaf_id integer not null,
  until_ms bigint not null,
  primary key (datanet_id, row_number, leaf_id)
);
create index label_leases_leaf on label_leases (datanet_id, leaf_id);

-- Recomputations: the last of each leaf about a model (epoch 0) or a settlement of it.
create table verified (
  datanet_id integer not null,
  model_id integer not null,
  leaf_id integer not null,
  epoch bigint not null,
  id text not null,
  at_ms bigint not null,
  has_difference boolean not null,
  record text not null,
  primary key (datanet_id, model_id, leaf_id, epoch)
);
create unique index verified_id on verified (datanet_id, id);

create table names (
  leaf_id integer primary key,
  name text not null,
  at_ms bigint not null,
  words tsvector not null,
  record text not null
);
create index names_words on names using gin (words);

create table usage (
  leaf_id integer not null,
  day integer not null,
  bytes bigint not null,
  records bigint not null,
  primary key (leaf_id, day)
);

-- Result of the last check of a Datanet's rows, and why the last one failed.
create table checks (
  datanet_id integer primary key,
  row_count integer,
  record_count integer,
  checked_at_ms bigint,
  findings text,
  failure text,
  not_before_ms bigint
);
-- The check that runs: one at a time. Its host writes to it as long as it lives.
create table running_checks (
  id integer primary key check (id = 1),
  token text not null,
  datanet_id integer not null,
  step text not null,
  done integer not null,
  total integer not null,
  alive_at timestamptz not null
);

-- Not logged: a server that has crashed has neither a session nor the requests that were signed for it, and both go together.
create unlogged table sessions (
  id integer primary key check (id = 1),
  session text not null
);
create unlogged table requests (
  nonce text primary key,
  expires_at_ms bigint not null
);
create index requests_expiry on requests (expires_at_ms);
`;

/** Rows of a block: consecutive numbers, whose words are found in the index without those of other blocks. */
export const BLOCK_ROWS = 16_384;
/** Blocks of a Datanet; a row's number is below 2^31. */
const MAX_BLOCKS = 131_072;

/** SQL of the list that has a row's block, by the columns of `row_words`, as the index of words has it. */
export const BLOCKS_SQL = `(array[datanet_id * ${MAX_BLOCKS}::bigint + number / ${BLOCK_ROWS}])`;

export const blockOf = (datanetId: number, number: number): number =>
  datanetId * MAX_BLOCKS + Math.floor(number / BLOCK_ROWS);

/** Indexes by which a search costs the same in a Datanet of any size, and one for usage that is over. */
const BOUNDED_SEARCH = `
drop index row_words_words;
create index row_words_words on row_words using gin (words, ${BLOCKS_SQL});
create index rows_label on rows (datanet_id, label, number) where label is not null;
create index rows_top_label on rows (datanet_id, top_label, number) where top_label is not null;
create index rows_decided_label on rows (datanet_id, decided_label, number) where decided_label is not null;
create index usage_day on usage (day);
`;

/**
 * A row's label is its contributor's signed one, and no longer part of its bytes; `label_count` counts the others'.
 * `labels.is_own` marks the contributor's. A labeller's new rows are found too where contributors have labelled all of them.
 */
const LABELS_BESIDE_ROWS = `
update rows set label = null where label is not null;
update rows set label = labels.label, label_count = label_count - 1
  from labels, commits
 where labels.datanet_id = rows.datanet_id and labels.row_number = rows.number
   and commits.datanet_id = rows.datanet_id and commits.number = rows.commit_number and commits.contributor_id = labels.leaf_id;
alter table labels add column is_own boolean not null default false;
update labels set is_own = true from rows, commits
 where rows.datanet_id = labels.datanet_id and rows.number = labels.row_number
   and commits.datanet_id = rows.datanet_id and commits.number = rows.commit_number and commits.contributor_id = labels.leaf_id;
drop index labels_leaf;
create index labels_leaf on labels (datanet_id, leaf_id, is_own);
drop index rows_begun;
create index rows_begun on rows (datanet_id, label_count, number) where begun_at is not null;
`;

/** Values of tables' rows, in the order of the card's fields. Apart from the rows: a label must not write them again. */
const VALUES_OF_TABLES = `
create table row_values (
  datanet_id integer not null,
  number integer not null,
  -- Numbers, and lengths of texts.
  numbers float8[] not null,
  -- Categories and booleans.
  names text[] not null,
  primary key (datanet_id, number)
);
`;

/**
 * Indexes by which searches and label queues do not read the rows that only have their contributors' labels: of rows that
 * reviewers have decided about, of gold rows, and of labels of rows that others have labelled.
 */
const DECIDED_ROWS = `
create index rows_decided on rows (datanet_id, number) where decision is not null;
create index rows_gold on rows (datanet_id, begun_at) where gold_label is not null;
drop index rows_label;
create index rows_label on rows (datanet_id, label, number) where label is not null and label_count > 0;
drop index rows_top_label;
create index rows_top_label on rows (datanet_id, top_label, number) where top_label is not null and label_count > 0;
`;

/**
 * Rows are stored first and described a moment later (describe-rows.ts): those before `described_count` have words, values and
 * their form by the card. Until then a row counts as well-formed.
 */
const DESCRIBED_LATER = `
alter table datanets add column described_count integer not null default 0;
update datanets set described_count = row_count;
create index datanets_undescribed on datanets (id) where described_count < row_count and policy is not null;
`;

/** Index by which a labeller gets the rows that others have begun, however many there are. */
const BEGUN_ROWS = `
create index rows_waiting on rows (datanet_id, label_count, begun_at)
  where begun_at is not null and label_count > 0 and decision is null and gold_label is null;
`;

/** Rows that their contributors have withdrawn: no bytes, words or values are left of them, and their hashes stay. */
const WITHDRAWN_ROWS = `
alter table rows add column is_withdrawn boolean not null default false;
-- Never falls, though a withdrawn row may come back with an earlier contributor.
alter table datanets add column withdrawal_count integer not null default 0;
create index rows_withdrawn on rows (datanet_id, digest) where is_withdrawn;
`;

/** Texts of reports of bias that the Datanet, or one of its team, has signed. `about`: version and model, as their records have it. */
const REPORTS = `
create table reports (
  datanet_id integer not null,
  sha256 text not null,
  about text not null,
  report text not null,
  primary key (datanet_id, sha256)
);
create index reports_about on reports (datanet_id, about);
`;

/** Tables of notices: events of leaves, subscriptions, and deliveries. */
const NOTICES = `
create table events (
  id bigint generated always as identity primary key,
  -- Name of what happened: whoever looks, it is one event.
  name text not null unique,
  leaf_id integer not null,
  datanet_id integer,
  kind text not null,
  at_ms bigint not null,
  body text not null
);
create index events_leaf on events (leaf_id, id);
create index events_datanet on events (datanet_id, id) where datanet_id is not null;
create index events_age on events (at_ms);
-- Places up to which records and models have been looked at.
create table event_marks (name text primary key, mark text not null);
create table webhooks (
  id text primary key,
  leaf_id integer not null,
  url text not null,
  kinds text[] not null,
  secret text not null,
  created_at_ms bigint not null,
  -- Deliveries given up since the last one that was taken.
  failures integer not null default 0,
  -- Status of the last call, or why there was none.
  last_result text,
  last_at_ms bigint
);
create index webhooks_leaf on webhooks (leaf_id);
create table deliveries (
  webhook_id text not null references webhooks on delete cascade,
  event_id bigint not null references events on delete cascade,
  attempts smallint not null default 0,
  next_at_ms bigint not null,
  primary key (webhook_id, event_id)
);
create index deliveries_due on deliveries (next_at_ms);
create index deliveries_event on deliveries (event_id);
`;

/** Messages of groups' members, which hosts of earlier versions passed on. */
const GROUP_MESSAGES = `
create table group_messages (
  session text not null,
  -- The member's ledger key.
  author text not null,
  step text not null,
  at_ms bigint not null,
  message text not null,
  primary key (session, author, step)
);
create index group_messages_author on group_messages (author, at_ms);
create index group_messages_time on group_messages (at_ms);
`;

/** Rows of other Datanets that a check had no room for. */
const COMPARED_ROWS = "alter table checks add column uncompared_count integer not null default 0;";

/** The next delivery of each webhook. */
const DELIVERIES_BY_WEBHOOK = "create index deliveries_webhook on deliveries (webhook_id, next_at_ms);";

/** Groups are gone (docs/adr/0021-groups-by-frost.md). */
const NO_GROUP_MESSAGES = "drop table group_messages;";

/** Deliveries that wait until their webhook is on again, and the secret before the present one. */
const HELD_DELIVERIES = `
alter table deliveries add column is_held boolean not null default false;
update deliveries set is_held = true from webhooks, events
  where webhooks.id = webhook_id and webhooks.failures >= 10 and events.id = event_id and events.kind <> 'test';
alter table webhooks add column former_secret text, add column former_until_ms bigint;
`;

export const HOST_PART: DatabasePart = {
  name: "datanets",
  migrations: [
    TABLES,
    BOUNDED_SEARCH,
    LABELS_BESIDE_ROWS,
    VALUES_OF_TABLES,
    DECIDED_ROWS,
    DESCRIBED_LATER,
    BEGUN_ROWS,
    WITHDRAWN_ROWS,
    REPORTS,
    NOTICES,
    GROUP_MESSAGES,
    DELIVERIES_BY_WEBHOOK,
    COMPARED_ROWS,
    NO_GROUP_MESSAGES,
    HELD_DELIVERIES,
  ],
};
