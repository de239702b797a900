"""Reads a rollup from an Ethereum node, by docs/reference/l1-format.md alone: python3 l1_decoder.py RPC_URL ROLLUP_ADDRESS
Decodes all, computes z and y of every statement, asks the contract whether the posted proof is one of it (and none of y + 1),
and derives every event and the contract's state. Prints what it has read as JSON, or the first difference with status 1."""
import hashlib, json, sys, urllib.request

(RPC_URL, ROLLUP), R = sys.argv[1:3], 21888242871839275222246405745257275088548364400416034343698204186575808495617
BATCH, SETTLEMENT, PAYEE_TABLE, EXIT, SHARDED, SHARD = range(6)  # sorts of circuits
WITHDRAW, CLOSE_EPOCH, SETTLE, ACTIVATION, DEPOSIT_NEW, DEPOSIT_TO, FORCED_WITHDRAW, FORCED_CLOSE_EPOCH, FORCED_PUBLISH = 7, 12, 13, 15, 16, 17, 18, 23, 28
WORD_COUNTS = [0, 0, 1, 1, 2, 2, 7, 2, 5, 1, 0, 1, 0, 1, 1, 1, 4, 4, 5, 4, 4, 4, 4, 4, 4, 4, 4, 4, 6]  # by kind
PROOF = "(uint256[2],uint256[2][2],uint256[2])[]"
SUBMIT = f"submitBatches((uint8,uint256,bytes)[],(uint8,uint256,bytes)[],{PROOF})"
EXIT_CALL = f"exit((uint8,uint256,uint256,address,uint96)[],{PROOF})"
VERIFY = f"verifyProofs((uint8,uint256,uint256,uint256,uint256,uint256)[],{PROOF})"
EVENTS = """GenesisSet(uint256 root, address treasury, address operator, uint256 keyX)
BatchAccepted(uint256 indexed batch, uint8 circuit, uint256 oldRoot, uint256 newRoot, uint40 opIndex, uint40 queueHead)
BatchData(uint256 indexed batch, bytes data)
EpochsClosed(uint256 indexed batch)
RandomnessRecorded(uint256 indexed batch, uint256 prevRandao)
SettlementAccepted(uint256 indexed model, uint256 indexed batch, uint24 epoch, uint8 circuit, uint8 voids, uint96 wei, bool isDefault)
ActivationAccepted(uint256 indexed model, uint256 indexed batch, uint8 circuit, uint8 settlementCircuit, uint16 cap)
SettlementData(uint256 indexed batch, uint256 indexed model, bytes data)
SettlementPreVerified(uint256 indexed model, uint256 indexed word, (uint8,uint256,bytes)[] s, (uint256[2],uint256[2][2],uint256[2])[] p)
PreVerifiedSettlementTaken(uint256 indexed model, uint256 indexed batch, uint256 word, uint256 block)
QueueEntryAdded(uint256 indexed i, uint8 kind, uint24 a, uint24 b, uint96 wei, uint256 w1, uint256 w2, uint256 w3, uint256 w4, address indexed who, uint40 at, uint96 fee)
QueueEntryConsumed(uint256 indexed index, uint256 indexed batch, bool isValid, uint96 executedWei)
WithdrawalCredited(address indexed recipient, uint256 indexed batch, uint8 reason, uint96 amountWei)
Frozen(uint256 root, uint256 batch, uint256 queueHead)
Exited(uint256 indexed key, address indexed recipient, uint96 amountWei)"""
def keccak(data):
    """keccak256: a sponge of 1,600 bits with rate 1,088 and padding 0x01 ... 0x80."""
    data = bytearray(data + b"\x01" + bytes(-(len(data) + 1) % 136))
    data[-1] |= 0x80
    turn = lambda lane, by: (lane << by % 64 | lane >> 64 - by % 64) & 2**64 - 1
    s = [[0] * 5 for _ in range(5)]
    for block in range(0, len(data), 136):
        for i in range(17):
            s[i % 5][i // 5] ^= int.from_bytes(data[block + 8 * i : block + 8 * i + 8], "little")
        register = 1
        for _ in range(24):
            sums = [c[0] ^ c[1] ^ c[2] ^ c[3] ^ c[4] for c in s]
            s = [[lane ^ sums[x - 1] ^ turn(sums[(x + 1) % 5], 1) for lane in s[x]] for x in range(5)]
            x, y, carried = 1, 0, s[1][0]
            for step in range(24):
                x, y = y, (2 * x + 3 * y) % 5
                carried, s[x][y] = s[x][y], turn(carried, (step + 1) * (step + 2) // 2)
            s = [[s[x][y] ^ ~s[(x + 1) % 5][y] & s[(x + 2) % 5][y] for y in range(5)] for x in range(5)]
            for j in range(7):
                register = (register << 1 ^ (register >> 7) * 0x71) & 0xFF
                s[0][0] ^= (register >> 1 & 1) << (1 << j) - 1
    return b"".join(s[i][0].to_bytes(8, "little") for i in range(4))
number, words = lambda data: int.from_bytes(data, "big"), lambda values: b"".join(value.to_bytes(32, "big") for value in values)
tag, hash_of = lambda text: number(keccak(text.encode())), lambda *values: number(keccak(words(values)))
selector, each = lambda signature: keccak(signature.encode())[:4], lambda data, size: [number(data[i : i + size]) for i in range(0, len(data), size)]
def split(data, *sizes):
    """Big-endian numbers of these sizes, and what is behind them."""
    return [number(data[sum(sizes[:i]) :][:size]) for i, size in enumerate(sizes)], data[sum(sizes) :]
def require(condition, what):
    if not condition: sys.exit(f"differs at batch {s['number']}: {what}")
def rpc(method, *params):
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    return json.load(urllib.request.urlopen(urllib.request.Request(RPC_URL, body, {"content-type": "application/json"})))
ask = lambda method, *params: rpc(method, *params)["result"]
call_of = lambda signature, values: {"to": ROLLUP, "data": "0x" + (selector(signature) + words(values)).hex()}
view = lambda signature, *values: each(bytes.fromhex(ask("eth_call", call_of(signature, values), HEAD)[2:]), 32)
def parse_event(text):
    name, fields = text[:-1].split("(", 1)
    fields = [field.split() for field in fields.split(", ")]
    return tag(f"{name}({','.join(field[0] for field in fields)})"), (name, fields)
def decode_event(log):
    """The event's name, and its values in the order in which it declares them."""
    name, fields = KINDS.get(int(log["topics"][0], 16), ("another", []))
    topics, data = iter(log["topics"][1:]), bytes.fromhex(log["data"][2:])
    rest = iter([data[64:][: number(data[32:64])]] if name.endswith("Data") else each(data, 32))
    if name == "SettlementPreVerified":  # entries at offsets, the data of each at another one in it; the proofs in place
        (at, proofs_at), entries = each(data[:64], 32), []
        for i, offset in enumerate(each(data[at + 32 :][: 32 * number(data[at : at + 32])], 32)):
            (circuit, commitment, where), part = split(data[at + 32 + offset :], 32, 32, 32)[0], data[at + 32 + offset :]
            proof = each(data[proofs_at + 32 + 256 * i :][:256], 32)
            entries.append((circuit, commitment, part[where + 32 :][: number(part[where : where + 32])], proof))
        rest = iter([entries, None])
    return name, [int(next(topics), 16) if field[1] == "indexed" else next(rest) for field in fields]
class Call:
    """A transaction's input as Solidity reads it: zeros behind the end, offsets modulo 2^256."""
    def __init__(self, log):
        found = ask("eth_getTransactionByBlockHashAndIndex", log["blockHash"], log["transactionIndex"])
        self.input = bytes.fromhex(found["input"][2:]) if int(found["to"] or "0x0", 16) == int(ROLLUP, 16) else b""
        self.is_submission, is_exit = (self.input[:4] == selector(text) for text in (SUBMIT, EXIT_CALL))
        self.batches, self.settlements = (self.parts(i) if self.is_submission else [] for i in (0, 1))
        self.proofs = iter(self.rows(2, 8) if self.is_submission else self.rows(1, 8) if is_exit else [])
        self.batches, self.exits = [(*one, next(self.proofs)) for one in self.batches], iter(self.rows(0, 5) if is_exit else [])
        self.settlements = iter([(*one, next(self.proofs) if one[2] else None) for one in self.settlements])
    def word(self, at):
        return number(self.input[at % 2**256 :][:32].ljust(32, b"\0"))
    def rows(self, argument, width):
        """An array of elements of this many words, in place."""
        first = 4 + self.word(4 + 32 * argument)
        return [[self.word(first + 32 * (width * i + j) + 32) for j in range(width)] for i in range(min(self.word(first), len(self.input)))]
    def parts(self, argument):
        """An array of (circuit, C, data): offsets count from its first element, and the data's from the part's beginning."""
        first = 4 + self.word(4 + 32 * argument) + 32
        for at in (first + offset for [offset] in self.rows(argument, 1)):
            data_at = at + self.word(at + 64)
            yield self.word(at), self.word(at + 32), self.input[(data_at + 32) % 2**256 :][: self.word(data_at)]
def check(sorts, circuit, elements, commitment, proof, opening=b""):
    """Derives z and y; where C and the proof are known, asks the contract about them and about y + 1. `opening`: of a blob."""
    sort, _, _, circuit_id, _ = CIRCUITS[circuit] if circuit is not None else (sorts[0], 0, 0, 0, 0)
    elements_hash, blob_value = hash_of(*elements), number(opening[:32])
    if opening:
        elements_hash = hash_of(elements_hash, number(b"\x01" + hashlib.sha256(opening[32:80]).digest()[1:]))
    require(sort in sorts and max(elements) < R, f"circuit {circuit} is of another sort, or an element is not below r")
    statements.append({"sort": sort, "batch": s["number"], "isProofKnown": proof is not None})
    for wrong in (0, 1) if proof is not None else ():
        z = hash_of(tag("OpenLedger challenge v1"), circuit_id, commitment, elements_hash) % R
        y = sum(element * pow(z, i, R) for i, element in enumerate(elements)) % R
        values = [64, 288, 1, circuit, commitment, (y + wrong) % R, z, blob_value % 2**128, blob_value >> 128, 1, *proof]
        answer = rpc("eth_call", call_of(VERIFY, values), HEAD)
        is_refused = "0x" + selector("VerifierProofRejected()").hex() in json.dumps(answer.get("error"))
        require(is_refused if wrong else "result" in answer, f"verifyProofs of y + {wrong} answers {answer}")
def entry_count(circuit, data):
    """Entries of the settlement whose first one this is."""
    return 1 if data[22] == 1 else data[22] + (CIRCUITS[circuit][0] == SHARDED)
def take_settlement(kind, model, word, entries):
    """The event that a Settle or Activation record must have; `word` is the record's."""
    circuit, data = entries[0][0], entries[0][2]
    (epoch, closing_batch, voids, burned, named, shards, chain), body = split(data, 3, 5, 1, 12, 1, 1, 32)
    is_activation, is_sampled = kind == ACTIVATION, CIRCUITS[circuit][0] in (SETTLEMENT, SHARDED)
    first = SETTLEMENT if shards == 1 else SHARDED
    is_linked, sorts = is_sampled and shards > 1, [PAYEE_TABLE] if is_activation else [first, PAYEE_TABLE]
    require(len(data) >= 55 and len(entries) == entry_count(circuit, data) <= 9, f"a settlement has {len(data)} bytes")
    cap = CIRCUITS[named][1] if is_activation else 0
    seed = hash_of(s["randomness"][closing_batch], model, epoch, chain) % 2**128 if is_sampled else 0
    fields = model | epoch << 24 | closing_batch << 48 | voids << 88 | is_activation << 96
    links, bodies, skipped = each(body, 32), [body, *(entry[2] for entry in entries[1:])], 12 if shards > 1 and not is_sampled else 0
    sums = [number(one[:skipped]) for one in bodies]
    for i, (own, commitment, _, proof) in enumerate(entries):
        place = i << 100 | shards << 103 if skipped else 0
        head = [links[i - 1]] if is_linked and i else [word, fields | place, chain, burned | cap << 96, seed or sums[i] | sum(sums) << 96]
        require(len(bodies[i][skipped:]) % (32 if is_linked and not i else 30) == 0, f"an entry has {len(bodies[i])} bytes")
        rest = links if is_linked and not i else each(bodies[i][skipped:], 30)
        check([SHARD] if is_linked and i else sorts if not i else [PAYEE_TABLE], own, [*head, *rest], commitment, proof)
    tail = [circuit, named, cap] if is_activation else [epoch, circuit, voids, burned, not is_sampled]
    return "ActivationAccepted" if is_activation else "SettlementAccepted", [model, s["number"], *tail]
def take_batch(block, settlements, circuit, commitment, data, proof):
    """The events that a batch must have. `settlements`: in the order of their records."""
    has_blob = CIRCUITS[circuit][4]
    data, opening = (data[:-128], data[-128:]) if has_blob else (data, b"")
    (root, time, next_id, fee_id, fee, signed, count, pair_count, gap_at, gap_count, wide_count), rest = split(
        data, 32, 5, 4, 3, 8, 2, 2, 2, 2, 2, 1
    )
    (_, narrow, slots, _, _), old_root, n, events = CIRCUITS[circuit], s["root"], s["number"] + 1, []
    narrow = 0 if has_blob else narrow
    pairs, rest = each(rest[: 23 * pair_count], 23), rest[23 * pair_count :]
    wide, running = each(rest[: 12 * wide_count], 12), each(rest[12 * wide_count :], 32)
    size = 63 + 23 * pair_count + 12 * wide_count + 32 * (count + sum(WORD_COUNTS[core & 31] for core in wide))
    require(len(data) == size and len(pairs) <= narrow // 2 and len(wide) <= slots, f"{len(data)} bytes posted")
    require(gap_at <= pair_count and (gap_count == 0) == (gap_at == pair_count), "the gap is not between two pairs")
    pairs[gap_at:gap_at] = [0] * gap_count
    require(len(pairs) <= narrow // 2, "more pairs than the circuit has")
    fields = n | time << 40 | s["opIndex"] << 80 | s["nextId"] << 120 | next_id << 145
    fields |= fee_id << 170 | signed << 194 | count << 210
    slot_elements = pairs + [0] * (narrow // 2 - len(pairs)) + wide + [0] * (slots - len(wide))
    s.update(root=root, number=n, nextId=next_id, time=time, opIndex=s["opIndex"] + signed)
    check([BATCH], circuit, [DOMAIN, old_root, root, fields, fee | ID_FEE << 64, *slot_elements, *running], commitment, proof, opening)
    for core in wide:
        kind, a, b, is_valid = core & 31, core >> 5 & 0xFFFFFF, core >> 29 & 0xFFFFFF, core >> 93 & 1
        w, count = running[count : count + WORD_COUNTS[kind]], count + WORD_COUNTS[kind]
        if (kind == CLOSE_EPOCH or kind == FORCED_CLOSE_EPOCH and is_valid) and n not in s["closes"]:
            s["closes"][n] = block
            events.append(("EpochsClosed", [n]))
        if kind in (SETTLE, ACTIVATION):
            given = [next(settlements)]
            given += [next(settlements) for _ in range(entry_count(*given[0][::2]) - 1 if given[0][2] else 0)]
            preVerified = ("PreVerifiedSettlementTaken", [b, n, w[0], s["preVerified"].pop((b, w[0]), None)])
            events.append(take_settlement(kind, b, w[0], given) if given[0][2] else preVerified)
        elif kind in (WITHDRAW, DEPOSIT_NEW, DEPOSIT_TO, FORCED_WITHDRAW):
            recipient, reason, wei = (w[0], 0, w[1]) if kind == WITHDRAW else (w[3], 2, w[0] - BASE_FEE * (kind == DEPOSIT_TO)) if kind <= DEPOSIT_TO else (w[1], 1, w[4])
            is_credited = wei != 0 and (kind == WITHDRAW or is_valid == (reason == 1))
            events += [("WithdrawalCredited", [recipient, n, reason, wei])] if is_credited else []
        if kind >= DEPOSIT_NEW:
            entry, index = [kind, a, 0 if kind == DEPOSIT_NEW else b, *w[:4], *(w[4:] if kind == FORCED_PUBLISH else (0, 0))], s["head"]
            require(s["queue"][index] == entry, f"queue entry {index} is not {entry}")
            executed = is_valid * (w[0] if kind <= DEPOSIT_TO else w[4] if kind == FORCED_WITHDRAW else 0)
            events.append(("QueueEntryConsumed", [index, n, is_valid, executed]))
            s["head"] += 1
    return [*events, ("BatchAccepted", [n, circuit, old_root, root, s["opIndex"], s["head"]])]

s = {"root": 0, "number": 0, "nextId": 2, "opIndex": 0, "time": 0, "head": 0, "isFrozen": 0, "queue": [], "closes": {}, "randomness": {}, "preVerified": {}}
KINDS, statements, seen, calls, HEAD = dict(map(parse_event, EVENTS.split("\n"))), [], [], {}, ask("eth_blockNumber")
DOMAIN = hash_of(tag("OpenLedger rollup v1"), int(ask("eth_chainId"), 16), int(ROLLUP, 16)) % R
[ID_FEE], [BASE_FEE], CIRCUITS = view("idFeeWei()"), view("queueBaseFeeWei()"), []
for i in range(view("circuitCount()")[0]):
    sort, size0, size1, table, _, circuit_id, *key = view("circuits(uint256)", i)
    CIRCUITS.append((sort, size0, size1, hash_of(tag("OpenLedger circuit v1"), sort, size0, size1, table, hash_of(*key)), table >> 45 & 1))
    require(CIRCUITS[i][3] == circuit_id and view("domain()") == [DOMAIN], f"the domain, or the id of circuit {i}")
ranges = [(hex(first), hex(min(first + 9_999, int(HEAD, 16)))) for first in range(0, int(HEAD, 16) + 1, 10_000)]
for log in (log for a, b in ranges for log in ask("eth_getLogs", {"address": ROLLUP, "fromBlock": a, "toBlock": b})):
    (name, values), block = decode_event(log), int(log["blockNumber"], 16)
    call = calls.get(log["transactionHash"]) or calls.setdefault(log["transactionHash"], Call(log))
    if name == "GenesisSet": s["root"] = values[0]
    elif name == "QueueEntryAdded": s["queue"].append([*values[1:7], values[9], *values[7:9]])
    elif name == "RandomnessRecorded":
        s["randomness"][values[0]] = int(ask("eth_getBlockByNumber", hex(s["closes"][values[0]] + 128), False)["mixHash"], 16)
        require(s["randomness"][values[0]] == values[1], f"the randomness of batch {values[0]} is not that of its block")
    elif name == "SettlementPreVerified":
        take_settlement(SETTLE, *values[:3])
        s["preVerified"][values[0], values[1]] = block
    elif name == "Frozen": s["isFrozen"] = int(values == [s["root"], s["number"], s["head"]])
    elif name == "Exited":
        circuit, commitment, *leaving = next(call.exits, (None, None, *values))
        require(leaving == values, f"the exit {leaving} is {values} in the event")
        if circuit is not None: check([EXIT], circuit, [s["root"], *values], commitment, next(call.proofs))
    elif name == "BatchData" and call.is_submission:
        require(values[1] == batch[2], "BatchData is not the input's")
    elif name != "another": seen.append((name, values))
    if name == ("BatchAccepted" if call.is_submission else "BatchData"):
        emitted, places = iter([v[2] for event, v in seen if event == "SettlementData"]), {"SettlementAccepted": 3, "ActivationAccepted": 2}
        records = [(places.get(event), v) for event, v in seen if event in places or event == "PreVerifiedSettlementTaken"]
        seen = [event for event in seen if event[0] not in ("SettlementData", "BatchData")]
        further = lambda entry: [entry, *((None, None, next(emitted), None) for _ in range(entry_count(*entry[::2]) - 1 if entry[2] else 0))]
        told = (one for at, v in records for one in further((v[at], None, next(emitted), None) if at else (0, None, b"", None)))
        given = call.settlements if call.is_submission else told
        batch = call.batches.pop(0) if call.is_submission else (seen[-1][1][1], None, values[1], None)
        expected = take_batch(block, given, *batch)
        seen = require(seen == expected, f"the events are {seen}, computed {expected}") or []
computed = [s[name] for name in ("root", "number", "nextId", "opIndex", "time", "head", "isFrozen")] + [len(s["queue"])]
says = view("state()") + view("queueTail()")
require(computed == says and not seen, f"state() and queueTail() say {says}, computed {computed}; events left: {seen}")
print(json.dumps({"batches": s["number"], "root": hex(s["root"]), "opIndex": s["opIndex"], "queueHead": s["head"], "statements": statements}))
