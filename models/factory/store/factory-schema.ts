/**
 * Tables of the factory in PostgreSQL: all servers and workers on one database are one factory. Digests are 32 bytes; what has a
 * form of its own (`factory-records.ts`) is JSON as text, since `jsonb` sorts keys and recipes are hashed.
 */
import type { DatabasePart } from "@openledger/foundation/database/migrate";

const TABLES = `
create table bases (
  id text primary key,
  number bigint generated always as identity,
  place text not null unique,
  view text not null,
  files text not null
);

create table datasets (
  id text primary key,
  number bigint generated always as identity,
  leaf_id integer not null,
  rows_root text not null,
  -- Host of a Datanet's rows; null for rows that were uploaded.
  host_url text,
  view text not null,
  stored_bytes bigint not null default 0
);
create index datasets_leaf on datasets (leaf_id);

-- Rows of a data set in their order.
create table dataset_rows (
  dataset_id text not null references datasets on delete cascade,
  place integer not null,
  digest bytea not null,
  contributor_id integer not null,
  validator_id integer not null,
  primary key (dataset_id, place)
);

-- Attack: with one copy for all data sets, the list of a permissioned version would be enough to train on its rows.
create table contents (
  dataset_id text not null references datasets on delete cascade,
  digest bytea not null,
  bytes bytea not null,
  primary key (dataset_id, digest)
);

create table jobs (
  id text primary key,
  number bigint generated always as identity,
  leaf_id integer not null,
  dataset_id text not null references datasets,
  base_id text not null references bases,
  state text not null,
  model_id integer,
  is_served boolean not null default false,
  view text not null,
  recipe text not null,
  size text,
  is_stop_wished boolean not null default false,
  said_step integer not null default -1,
  seconds_before double precision not null default 0,
  -- Place in the queue: the smallest is next.
  turn integer not null,
  -- Number of the job's entry in the queue.
  run integer not null default 1,
  -- Token of the worker that has the job; any other one's writes are refused.
  holder uuid,
  -- Starts since the last new step.
  silent_starts integer not null default 0,
  registration text not null,
  is_proving boolean not null default false,
  proof_run integer not null default 0,
  proof_holder uuid,
  proof_starts integer not null default 0
);
create index jobs_leaf on jobs (leaf_id);
create index jobs_dataset on jobs (dataset_id);
create index jobs_open on jobs (turn, number) where state in ('queued', 'running', 'pausing', 'stopping');
create index jobs_proving on jobs (leaf_id) where is_proving;
create index jobs_served on jobs (model_id) where is_served;

-- Turns of accounts: start-time fair queueing (Goyal et al. 1996). The clock is the largest turn that has begun.
create table turns (
  leaf_id integer primary key,
  turn integer not null
);
create table clock (
  id integer primary key check (id = 1),
  turn integer not null
);
insert into clock values (1, 0);

create table events (
  job_id text not null references jobs on delete cascade,
  number integer not null,
  event text not null,
  primary key (job_id, number)
);

-- Bytes that a job has made, in pieces. They come before the file that names them, so that nobody is locked out meanwhile.
create table uploads (
  id uuid primary key,
  job_id text not null references jobs on delete cascade,
  begun_at timestamptz not null default now()
);
create index uploads_job on uploads (job_id);
create table pieces (
  upload_id uuid not null references uploads on delete cascade,
  piece integer not null,
  bytes bytea not null,
  primary key (upload_id, piece)
);
-- They are floats, which do not compress.
alter table pieces alter column bytes set storage external;
create table files (
  job_id text not null references jobs on delete cascade,
  form text not null,
  name text not null,
  size_bytes bigint not null,
  sha256 text not null,
  upload_id uuid not null references uploads on delete cascade,
  primary key (job_id, form, name)
);
create unique index files_upload on files (upload_id);

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

/** Models that sort: rows with accepted labels, of several Datanets, and jobs without a base. */
const CLASSIFIERS = `
alter table datasets add column card text;
-- Roots of the accepted labels, one for each Datanet; null for rows that are read without.
alter table datasets add column labels_roots text;
alter table dataset_rows add column label text;
-- Place of the row's Datanet.
alter table dataset_rows add column datanet integer not null default 0;
alter table jobs alter column base_id drop not null;
update jobs set view = jsonb_set(view::jsonb, '{form,use}', '"write"')::text where view::jsonb ? 'form';
`;

export const FACTORY_PART: DatabasePart = { name: "factory", migrations: [TABLES, CLASSIFIERS] };

/** Queues of a worker (job-tickets.ts). */
export const FACTORY_QUEUES = ["train", "activate"] as const;

/** Rights of a worker's role beside those of the queues (`makeWorkerRole`): it reads what jobs need, and writes what they make. */
export const FACTORY_WORKER_RIGHTS = [
  "grant usage on schema factory to %I",
  "grant select on all tables in schema factory to %I",
  "revoke select on factory.sessions, factory.requests from %I",
  "grant update on factory.jobs, factory.clock to %I",
  "grant insert on factory.events to %I",
  "grant insert, update, delete on factory.files, factory.uploads, factory.pieces to %I",
] as const;
