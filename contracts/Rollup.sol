// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {BatchVerifier} from "./BatchVerifier.sol";
import {IRollup} from "./IRollup.sol";
import {OpenToken} from "./OpenToken.sol";

/// @title Rollup
/// @dev Documentation is in IRollup. One call of submitBatches keeps all state in memory (`Run`) and writes each
/// storage word once at its end, however many batches it applies.
contract Rollup is IRollup, BatchVerifier, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @inheritdoc IRollup
    uint256 public constant SOFT_DEADLINE = 24 hours;
    /// @inheritdoc IRollup
    uint256 public constant HARD_DEADLINE = 14 days;
    /// @inheritdoc IRollup
    uint256 public constant TIMESTAMP_WINDOW = 1 hours;

    /// @dev Entries that a batch must take once they are overdue.
    uint256 private constant MIN_OVERDUE_TAKEN = 8;
    uint256 private constant MAX_LEAF_COUNT = 2 ** 24;
    uint32 private constant GENESIS_NEXT_ID = 2;

    bytes32 private constant DOMAIN_TAG = keccak256("OpenLedger rollup v1");
    bytes32 private constant CHALLENGE_TAG = keccak256("OpenLedger challenge v1");

    // Kinds with an effect on L1; the others are docs/ledger.md's.
    uint256 private constant CREATE_ACCOUNT = 4;
    uint256 private constant CREATE_MODEL = 6;
    uint256 private constant WITHDRAW = 7;
    uint256 private constant DEPOSIT_NEW = 16;
    uint256 private constant DEPOSIT_TO = 17;
    uint256 private constant FORCED_WITHDRAW = 18;
    uint256 private constant FORCED_SET_KEY = 19;
    uint256 private constant FORCED_SET_OWNER = 20;

    /// @dev Words of each kind, four bits a kind, kind 0 lowest; f marks reserved and unknown kinds.
    ///                                      31 … 21    20 … 16 15…12 11 … 0
    uint256 private constant WORD_COUNTS = 0xfffffffffff_44544_ffff_101527221100;
    uint256 private constant NO_WORD_COUNT = 0xf;

    // Wire form of a batch: the new root, then the packed header, 58 bytes together.
    uint256 private constant WIRE_HEADER_SIZE = 58;
    uint256 private constant WIRE_PAIR_SIZE = 23;
    uint256 private constant WIRE_CORE_SIZE = 12;

    uint256 private constant HEADER_ELEMENT_COUNT = 5;
    /// @dev Position of `valid` in a wide core.
    uint256 private constant VALID_BIT = 93;

    /// @dev The lower 40 bits of a stored queue entry are its time.
    uint256 private constant ENTRY_TIME_BITS = 40;

    struct Totals {
        uint40 queueTail;
        uint24 depositCount;
        uint96 depositWei;
        uint96 burnableWei;
    }

    /// @dev What one call of submitBatches works on.
    struct Run {
        State state;
        Totals totals;
        uint256 ledgerWei;
        uint256 domain;
        uint256 keys;
        bool isSequencer;
        bool isPlainCall;
    }

    /// @dev One batch's elements in memory; `start`, `wideAt` and `wordsAt` are addresses of 32-byte words.
    struct Elements {
        uint256 start;
        uint256 fixedCount;
        uint256 count;
        uint256 wideAt;
        uint256 wideCount;
        uint256 wordsAt;
        uint256 newRoot;
        uint256 timestamp;
        uint256 newNextId;
        uint256 signedCount;
    }

    /// @inheritdoc IRollup
    OpenToken public immutable token;
    /// @inheritdoc IRollup
    address public immutable sequencer;
    /// @inheritdoc IRollup
    uint96 public immutable idFeeWei;
    /// @inheritdoc IRollup
    uint96 public immutable minDepositWei;
    /// @inheritdoc IRollup
    uint96 public immutable queueBaseFeeWei;
    /// @inheritdoc IRollup
    uint16 public immutable queueCapacity;
    uint256 private immutable _chainId;
    uint256 private immutable _domain;

    /// @dev Two words: the root; then batchNumber 40, nextId 32, opIndex 40, timestamp 40 and queueHead 40 bits from
    /// the low end, 64 free (the flag of `freeze` belongs there). 2^40 seconds end beyond the year 36,000.
    State private _state;
    /// @dev One word: queueTail 40, depositCount 24, depositWei 96, burnableWei 96 from the low end. All OPEN there
    /// is stays below 2^90 wei.
    Totals private _totals;
    /// @inheritdoc IRollup
    uint256 public ledgerWei;
    /// @inheritdoc IRollup
    mapping(uint256 index => uint256) public queueEntries;
    /// @inheritdoc IRollup
    mapping(address owner => uint256) public pendingWithdrawals;
    /// @dev Not 0 while a forced withdrawal from the leaf by the sender waits.
    mapping(uint256 idAndSender => uint256) private _openForcedWithdrawals;

    constructor(RollupConfig memory config) BatchVerifier(config.circuits) {
        if (address(config.token).code.length == 0) revert RollupConfigInvalid("token");
        if (config.sequencer == address(0)) revert RollupConfigInvalid("sequencer");
        if (config.genesisRoot == 0 || config.genesisRoot >= R) revert RollupConfigInvalid("genesisRoot");
        if (config.treasuryOwner == address(0)) revert RollupConfigInvalid("treasuryOwner");
        if (config.operatorOwner == address(0)) revert RollupConfigInvalid("operatorOwner");
        if (config.operatorKeyX >= R) revert RollupConfigInvalid("operatorKeyX");
        if (config.minDepositWei == 0) revert RollupConfigInvalid("minDepositWei");
        // The fee doubles three times at most: 2^90 · 8 still fits 96 bits.
        if (config.queueBaseFeeWei >= 2 ** 90) revert RollupConfigInvalid("queueBaseFeeWei");
        // Below 4 there are no quarters.
        if (config.queueCapacity < 4) revert RollupConfigInvalid("queueCapacity");
        token = config.token;
        sequencer = config.sequencer;
        idFeeWei = config.idFeeWei;
        minDepositWei = config.minDepositWei;
        queueBaseFeeWei = config.queueBaseFeeWei;
        queueCapacity = config.queueCapacity;
        _chainId = block.chainid;
        _domain = _computeDomain();
        _state.root = config.genesisRoot;
        _state.nextId = GENESIS_NEXT_ID;
        emit GenesisSet(
            config.genesisRoot, config.treasuryOwner, config.operatorOwner, config.operatorKeyX
        );
    }

    // Batches

    /// @inheritdoc IRollup
    function submitBatches(Batch[] calldata batches, Proof[] calldata proofs) external nonReentrant {
        uint256 count = batches.length;
        if (count == 0) revert RollupNoBatches();
        if (count != proofs.length) revert RollupProofCountMismatch(count, proofs.length);
        Run memory run = Run({
            state: _state,
            totals: _totals,
            ledgerWei: ledgerWei,
            domain: domain(),
            keys: _loadKeys(),
            isSequencer: msg.sender == sequencer,
            // Without code of its own the origin can only have called this contract itself, so that the
            // transaction's input is this call's.
            isPlainCall: msg.sender == tx.origin && msg.sender.code.length == 0
        });
        Statement[] memory statements = new Statement[](count);
        uint256 freeMemory = _load(0x40);
        for (uint256 i = 0; i < count; ++i) {
            _applyBatch(run, batches[i], statements[i]);
            // The next batch's elements take the same place: memory costs more than linearly.
            _store(0x40, freeMemory);
        }
        _writeState(run);
        _verify(run.keys, statements, proofs);
    }

    /// @dev Fills `statement` with what the batch's proof must show, and applies the batch to `run` (I3, I4).
    function _applyBatch(Run memory run, Batch calldata batch, Statement memory statement) private {
        State memory current = run.state;
        if (batch.circuit >= circuitCount) revert VerifierCircuitUnknown(batch.circuit, circuitCount);
        (bytes32 circuitId, uint256 narrow, uint256 wide) = _circuit(run.keys, batch.circuit);
        if (batch.commitment >= R) revert RollupElementOutOfField();
        if (!run.isSequencer && !isOverdue(current.queueHead)) revert RollupNotSequencer(msg.sender);

        Elements memory elements = _readElements(run, batch.data, narrow, wide);
        if (!run.isSequencer && elements.signedCount != 0) {
            revert RollupSignedOperations(msg.sender, elements.signedCount);
        }
        _checkTimestamp(elements.timestamp, current.timestamp);

        statement.circuit = batch.circuit;
        statement.commitment = batch.commitment;
        statement.challenge = uint256(
            keccak256(
                abi.encode(
                    CHALLENGE_TAG,
                    circuitId,
                    batch.commitment,
                    _hashWords(elements.start, elements.count)
                )
            )
        ) % R;
        statement.evaluation = _evaluate(elements, statement.challenge);

        uint256 oldRoot = current.root;
        uint256 oldHead = current.queueHead;
        current.root = elements.newRoot;
        current.batchNumber += 1;
        // At most MAX_LEAF_COUNT, a 16-bit and a 40-bit number.
        current.nextId = uint32(elements.newNextId);
        current.opIndex += uint40(elements.signedCount);
        current.timestamp = uint40(elements.timestamp);
        _applyWide(run, elements);

        uint256 consumedCount = current.queueHead - oldHead;
        // Entries are in order of time: if the next one is not overdue, no later one is.
        if (consumedCount < MIN_OVERDUE_TAKEN && consumedCount < wide && isOverdue(current.queueHead)) {
            revert RollupOverdueEntryLeft(current.queueHead, consumedCount);
        }
        emit BatchAccepted(
            current.batchNumber,
            batch.circuit,
            oldRoot,
            current.root,
            current.opIndex,
            current.queueHead
        );
        if (!run.isPlainCall) emit BatchData(current.batchNumber, batch.data);
    }

    function _checkTimestamp(uint256 timestamp, uint256 lastTimestamp) private view {
        uint256 earliest = block.timestamp - TIMESTAMP_WINDOW;
        if (earliest < lastTimestamp) earliest = lastTimestamp;
        if (timestamp < earliest || timestamp > block.timestamp) {
            revert RollupTimestampInvalid(timestamp, earliest, block.timestamp);
        }
    }

    /// @dev Builds E of docs/ledger.md: the posted bytes and what this contract adds from its own state (I5).
    function _readElements(Run memory run, bytes calldata data, uint256 narrow, uint256 wide)
        private
        view
        returns (Elements memory elements)
    {
        if (data.length < WIRE_HEADER_SIZE) revert RollupDataLengthInvalid(data.length, WIRE_HEADER_SIZE);
        uint256 ptr;
        // From the low end: wideCount 8, pairCount 8, payloadCount 16, signedCount 16, feePerUnit 64,
        // feeAccountId 24, newNextId 32, timestamp 40.
        uint256 header;
        uint256 newRoot;
        assembly ("memory-safe") {
            newRoot := calldataload(data.offset)
            header := shr(48, calldataload(add(data.offset, 0x20)))
            ptr := add(data.offset, WIRE_HEADER_SIZE)
        }
        uint256 wideCount = uint8(header);
        uint256 pairCount = uint8(header >> 8);
        uint256 newNextId = uint32(header >> 136);
        if (pairCount > narrow / 2) revert RollupNarrowCountExceeded(pairCount, narrow / 2);
        if (wideCount > wide) revert RollupWideCountExceeded(wideCount, wide);
        // ⚔ A larger id would spill into feeAccountId in the packed element, and another id be stored than proven.
        if (newNextId > MAX_LEAF_COUNT) revert RollupNextIdTooLarge(newNextId);
        if (newRoot >= R) revert RollupElementOutOfField();

        uint256 payloadCount = uint16(header >> 16);
        uint256 runningCount = payloadCount + _countWords(ptr + WIRE_PAIR_SIZE * pairCount, wideCount);
        uint256 expectedLength = WIRE_HEADER_SIZE + WIRE_PAIR_SIZE * pairCount
            + WIRE_CORE_SIZE * wideCount + 0x20 * runningCount;
        if (data.length != expectedLength) revert RollupDataLengthInvalid(data.length, expectedLength);

        uint256 fixedCount = HEADER_ELEMENT_COUNT + narrow / 2 + wide;
        uint256 start = _copyElements(ptr, pairCount, narrow / 2, wideCount, wide, runningCount);
        State memory current = run.state;
        _store(start, run.domain);
        _store(start + 0x20, current.root);
        _store(start + 0x40, newRoot);
        _store(
            start + 0x60,
            uint256(current.batchNumber) + 1 | uint256(uint40(header >> 168)) << 40
                | uint256(current.opIndex) << 80 | uint256(current.nextId) << 120 | newNextId << 145
                | uint256(uint24(header >> 112)) << 170 | uint256(uint16(header >> 32)) << 194
                | payloadCount << 210
        );
        _store(start + 0x80, uint256(uint64(header >> 48)) | uint256(idFeeWei) << 64);

        elements.start = start;
        elements.fixedCount = fixedCount;
        elements.count = fixedCount + runningCount;
        elements.wideAt = start + 0x20 * (fixedCount - wide);
        elements.wideCount = wideCount;
        elements.wordsAt = start + 0x20 * (fixedCount + payloadCount);
        elements.newRoot = newRoot;
        elements.timestamp = uint40(header >> 168);
        elements.newNextId = newNextId;
        elements.signedCount = uint16(header >> 32);
    }

    /// @dev Number of words of the wide slots whose cores start at `ptr` in the calldata. What lies beyond the data
    /// cannot do harm: the caller compares the length that follows from it with the true one.
    function _countWords(uint256 ptr, uint256 wideCount) private pure returns (uint256 count) {
        for (uint256 i = 0; i < wideCount; ++i) {
            uint256 kind;
            assembly ("memory-safe") {
                kind := and(shr(160, calldataload(ptr)), 31)
                ptr := add(ptr, WIRE_CORE_SIZE)
            }
            uint256 wordCount = _wordCount(kind);
            if (wordCount == NO_WORD_COUNT) revert RollupKindUnknown(kind);
            count += wordCount;
        }
    }

    function _wordCount(uint256 kind) private pure returns (uint256) {
        return WORD_COUNTS >> 4 * kind & 0xf;
    }

    /// @dev Lays out all places behind the header: narrow pairs, wide cores, then payloads and words.
    function _copyElements(
        uint256 ptr,
        uint256 pairCount,
        uint256 maxPairCount,
        uint256 wideCount,
        uint256 maxWideCount,
        uint256 runningCount
    ) private pure returns (uint256 start) {
        assembly ("memory-safe") {
            start := mload(0x40)
            let target := add(start, mul(0x20, HEADER_ELEMENT_COUNT))
            let end := add(target, mul(0x20, pairCount))
            let wideStart := add(target, mul(0x20, maxPairCount))
            // Four at a time. Up to three words too many are written, and overwritten below: behind the pairs lie
            // at least one wide core and, beyond the end, memory that is free.
            for { let source := ptr } lt(target, end) { target := add(target, 0x80) } {
                mstore(target, shr(72, calldataload(source)))
                mstore(add(target, 0x20), shr(72, calldataload(add(source, 23))))
                mstore(add(target, 0x40), shr(72, calldataload(add(source, 46))))
                mstore(add(target, 0x60), shr(72, calldataload(add(source, 69))))
                source := add(source, 92)
            }
            ptr := add(ptr, mul(WIRE_PAIR_SIZE, pairCount))
            let running := add(wideStart, mul(0x20, maxWideCount))
            // Copying from beyond the calldata's end writes zeros.
            calldatacopy(end, calldatasize(), sub(running, end))
            for { let i := 0 } lt(i, wideCount) { i := add(i, 1) } {
                mstore(add(wideStart, mul(0x20, i)), shr(160, calldataload(ptr)))
                ptr := add(ptr, WIRE_CORE_SIZE)
            }
            calldatacopy(running, ptr, mul(0x20, runningCount))
            mstore(0x40, add(running, mul(0x20, runningCount)))
        }
    }

    function _hashWords(uint256 start, uint256 count) private pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            hash := keccak256(start, mul(0x20, count))
        }
    }

    /// @dev Σ E_i z^i by Horner's rule from the last element. Since the sum and an element are below R < 2^254, they
    /// can be added before the one reduction. The fixed places are below R by their widths (I5).
    function _evaluate(Elements memory elements, uint256 z) private pure returns (uint256 y) {
        uint256 start = elements.start;
        uint256 fixedEnd = start + 0x20 * elements.fixedCount;
        uint256 end = start + 0x20 * elements.count;
        bool isInField = true;
        assembly ("memory-safe") {
            let p := end
            for {} gt(p, fixedEnd) {} {
                p := sub(p, 0x20)
                let element := mload(p)
                isInField := and(isInField, lt(element, R))
                y := mulmod(add(y, element), z, R)
            }
            // Element 0 is not multiplied, so the count of the others is brought to a multiple of eight first.
            let last := add(start, 0x20)
            for { let rest := and(sub(p, last), 0xff) } rest { rest := sub(rest, 0x20) } {
                p := sub(p, 0x20)
                y := mulmod(add(y, mload(p)), z, R)
            }
            for {} gt(p, last) {} {
                p := sub(p, 0x100)
                y := mulmod(add(y, mload(add(p, 0xe0))), z, R)
                y := mulmod(add(y, mload(add(p, 0xc0))), z, R)
                y := mulmod(add(y, mload(add(p, 0xa0))), z, R)
                y := mulmod(add(y, mload(add(p, 0x80))), z, R)
                y := mulmod(add(y, mload(add(p, 0x60))), z, R)
                y := mulmod(add(y, mload(add(p, 0x40))), z, R)
                y := mulmod(add(y, mload(add(p, 0x20))), z, R)
                y := mulmod(add(y, mload(p)), z, R)
            }
            y := addmod(y, mload(start), R)
        }
        if (!isInField) revert RollupElementOutOfField();
    }

    /// @dev The effects of the wide slots on L1, in slot order. Slots that are not posted are null.
    function _applyWide(Run memory run, Elements memory elements) private {
        uint256 wordsAt = elements.wordsAt;
        for (uint256 i = 0; i < elements.wideCount; ++i) {
            uint256 core = _load(elements.wideAt + 0x20 * i);
            uint256 kind = core & 31;
            if (kind >= DEPOSIT_NEW) {
                _consume(run, core, wordsAt);
            } else if (kind == WITHDRAW) {
                uint256 recipient = _load(wordsAt);
                if (recipient >> 160 != 0) revert RollupRecipientInvalid(recipient);
                _payOut(
                    run, address(uint160(recipient)), _load(wordsAt + 0x20), CreditReason.Withdrawal
                );
            } else if (kind >= CREATE_ACCOUNT && kind <= CREATE_MODEL) {
                _takeFromLedger(run, idFeeWei);
                run.totals.burnableWei += idFeeWei;
            }
            wordsAt += 0x20 * _wordCount(kind);
        }
    }

    /// @dev Takes the next queue entry, which must be the one that the slot states (I6).
    function _consume(Run memory run, uint256 core, uint256 wordsAt) private {
        uint256 index = run.state.queueHead;
        uint256 kind = core & 31;
        uint256 a = kind > DEPOSIT_TO ? core >> 5 & 0xffffff : 0;
        uint256 b = kind == DEPOSIT_TO ? core >> 29 & 0xffffff : 0;
        uint256 amountWei = _load(wordsAt);
        uint256 word1 = _load(wordsAt + 0x20);
        uint256 sender = _load(wordsAt + 0x60);
        bytes32 hash =
            keccak256(abi.encode(index, kind, a, b, amountWei, word1, _load(wordsAt + 0x40), sender));
        if (queueEntries[index] >> ENTRY_TIME_BITS != uint256(hash) >> ENTRY_TIME_BITS) {
            revert RollupQueueMismatch(index);
        }
        // The hash binds every word to the range that the queue's functions checked.
        delete queueEntries[index];
        run.state.queueHead = uint40(index + 1);

        bool isValid = core >> VALID_BIT & 1 == 1;
        uint256 executedWei = 0;
        if (kind <= DEPOSIT_TO) {
            run.totals.depositCount -= 1;
            run.totals.depositWei -= uint96(amountWei);
            if (isValid) {
                executedWei = amountWei;
                run.ledgerWei += amountWei;
            } else {
                _credit(run, address(uint160(sender)), amountWei, CreditReason.DepositRefused);
            }
        } else if (kind == FORCED_WITHDRAW) {
            delete _openForcedWithdrawals[_idAndSender(a, sender)];
            if (isValid) {
                executedWei = _load(wordsAt + 0x80);
                _payOut(run, address(uint160(word1)), executedWei, CreditReason.ForcedWithdrawal);
            }
        }
        // What is paid out was in the ledger: below 2^96.
        emit QueueEntryConsumed(index, run.state.batchNumber, isValid, uint96(executedWei));
    }

    /// @dev Any amount may come in: one that the ledger does not hold is refused (I2).
    function _takeFromLedger(Run memory run, uint256 amountWei) private pure {
        if (amountWei > run.ledgerWei) revert RollupLedgerExceeded(amountWei, run.ledgerWei);
        run.ledgerWei -= amountWei;
    }

    function _payOut(Run memory run, address recipient, uint256 amountWei, CreditReason reason) private {
        _takeFromLedger(run, amountWei);
        _credit(run, recipient, amountWei, reason);
    }

    function _credit(Run memory run, address recipient, uint256 amountWei, CreditReason reason) private {
        if (amountWei == 0) return;
        pendingWithdrawals[recipient] += amountWei;
        emit WithdrawalCredited(recipient, run.state.batchNumber, reason, uint96(amountWei));
    }

    function _writeState(Run memory run) private {
        _state = run.state;
        _totals = run.totals;
        ledgerWei = run.ledgerWei;
    }

    // Queue

    /// @inheritdoc IRollup
    function depositNew(uint96 amountWei, address l1Owner, uint256 keyX)
        external
        nonReentrant
        returns (uint256)
    {
        return _depositNew(amountWei, l1Owner, keyX);
    }

    /// @inheritdoc IRollup
    function depositNewWithPermit(uint96 amountWei, address l1Owner, uint256 keyX, Permit calldata permit)
        external
        nonReentrant
        returns (uint256)
    {
        _usePermit(permit);
        return _depositNew(amountWei, l1Owner, keyX);
    }

    /// @inheritdoc IRollup
    function depositTo(uint24 id, uint96 amountWei, address expectedL1Owner)
        external
        nonReentrant
        returns (uint256)
    {
        return _depositTo(id, amountWei, expectedL1Owner);
    }

    /// @inheritdoc IRollup
    function depositToWithPermit(
        uint24 id,
        uint96 amountWei,
        address expectedL1Owner,
        Permit calldata permit
    ) external nonReentrant returns (uint256) {
        _usePermit(permit);
        return _depositTo(id, amountWei, expectedL1Owner);
    }

    /// @inheritdoc IRollup
    function forceWithdraw(uint24 id, uint96 amountWei, address recipient)
        external
        nonReentrant
        returns (uint256)
    {
        if (amountWei == 0) revert RollupAmountZero();
        if (recipient == address(0)) revert RollupAddressZero();
        uint256 idAndSender = _idAndSender(id, uint160(msg.sender));
        if (_openForcedWithdrawals[idAndSender] != 0) revert RollupForcedWithdrawalOpen(id, msg.sender);
        _openForcedWithdrawals[idAndSender] = 1;
        return _force(FORCED_WITHDRAW, id, amountWei, uint160(recipient));
    }

    /// @inheritdoc IRollup
    function forceSetKey(uint24 id, uint256 keyX) external nonReentrant returns (uint256) {
        if (keyX >= R) revert RollupKeyOutOfField(keyX);
        return _force(FORCED_SET_KEY, id, 0, keyX);
    }

    /// @inheritdoc IRollup
    function forceSetOwner(uint24 id, address newOwner) external nonReentrant returns (uint256) {
        if (newOwner == address(0)) revert RollupAddressZero();
        return _force(FORCED_SET_OWNER, id, 0, uint160(newOwner));
    }

    function _depositNew(uint96 amountWei, address l1Owner, uint256 keyX) private returns (uint256) {
        if (keyX >= R) revert RollupKeyOutOfField(keyX);
        return _deposit(DEPOSIT_NEW, 0, amountWei, l1Owner, keyX);
    }

    function _depositTo(uint24 id, uint96 amountWei, address l1Owner) private returns (uint256) {
        return _deposit(DEPOSIT_TO, id, amountWei, l1Owner, 0);
    }

    function _deposit(uint256 kind, uint24 b, uint96 amountWei, address l1Owner, uint256 word2)
        private
        returns (uint256 index)
    {
        if (amountWei < minDepositWei) revert RollupDepositTooSmall(amountWei, minDepositWei);
        if (l1Owner == address(0)) revert RollupAddressZero();
        Totals memory totals = _totals;
        if (totals.depositCount >= queueCapacity / 2) revert RollupDepositsFull(queueCapacity / 2);
        totals.depositCount += 1;
        totals.depositWei += amountWei;
        index = _enqueue(totals, kind, 0, b, amountWei, uint160(l1Owner), word2, 0);
        IERC20(token).safeTransferFrom(msg.sender, address(this), amountWei);
    }

    function _force(uint256 kind, uint24 a, uint96 amountWei, uint256 word1)
        private
        returns (uint256 index)
    {
        Totals memory totals = _totals;
        uint96 feeWei = _feeWei(totals.queueTail);
        totals.burnableWei += feeWei;
        index = _enqueue(totals, kind, a, 0, amountWei, word1, 0, feeWei);
        IERC20(token).safeTransferFrom(msg.sender, address(this), feeWei);
    }

    function _enqueue(
        Totals memory totals,
        uint256 kind,
        uint24 a,
        uint24 b,
        uint96 amountWei,
        uint256 word1,
        uint256 word2,
        uint96 feeWei
    ) private returns (uint256 index) {
        index = totals.queueTail;
        if (index - _state.queueHead >= queueCapacity) revert RollupQueueFull(queueCapacity);
        bytes32 hash = keccak256(
            abi.encode(index, kind, a, b, amountWei, word1, word2, uint256(uint160(msg.sender)))
        );
        queueEntries[index] = uint256(hash) >> ENTRY_TIME_BITS << ENTRY_TIME_BITS | block.timestamp;
        totals.queueTail += 1;
        _totals = totals;
        emit QueueEntryAdded(
            index,
            uint8(kind),
            a,
            b,
            amountWei,
            word1,
            word2,
            msg.sender,
            uint40(block.timestamp),
            feeWei
        );
    }

    /// @dev A permit can be used by whoever sees it first; then the allowance is there all the same.
    function _usePermit(Permit calldata permit) private {
        try token.permit(
            msg.sender, address(this), permit.valueWei, permit.deadline, permit.v, permit.r, permit.s
        ) {} catch {}
    }

    function _feeWei(uint256 tail) private view returns (uint96) {
        // 0 to 3 full quarters; a full queue has a fourth, but takes nothing.
        uint256 quarters = (tail - _state.queueHead) * 4 / queueCapacity;
        if (quarters > 3) quarters = 3;
        return uint96(uint256(queueBaseFeeWei) << quarters);
    }

    function _idAndSender(uint256 id, uint256 sender) private pure returns (uint256) {
        return id << 160 | sender;
    }

    // Payments

    /// @inheritdoc IRollup
    function claim(address owner) external nonReentrant returns (uint256 amountWei) {
        amountWei = pendingWithdrawals[owner];
        if (amountWei == 0) revert RollupNothingToClaim(owner);
        delete pendingWithdrawals[owner];
        emit WithdrawalClaimed(owner, amountWei);
        IERC20(token).safeTransfer(owner, amountWei);
    }

    /// @inheritdoc IRollup
    function burnAccrued() external nonReentrant returns (uint256 amountWei) {
        amountWei = _totals.burnableWei;
        if (amountWei == 0) revert RollupNothingToBurn();
        _totals.burnableWei = 0;
        emit AccruedBurned(amountWei);
        token.burn(amountWei);
    }

    // Views

    /// @inheritdoc IRollup
    function state() external view returns (State memory) {
        return _state;
    }

    /// @inheritdoc IRollup
    function queueTail() external view returns (uint256) {
        return _totals.queueTail;
    }

    /// @inheritdoc IRollup
    function isOverdue(uint256 index) public view returns (bool) {
        uint256 entry = queueEntries[index];
        return entry != 0 && uint40(entry) + SOFT_DEADLINE < block.timestamp;
    }

    /// @inheritdoc IRollup
    function queuedDeposits() external view returns (uint256 count, uint256 amountWei) {
        return (_totals.depositCount, _totals.depositWei);
    }

    /// @inheritdoc IRollup
    function isForcedWithdrawalOpen(uint24 id, address sender) external view returns (bool) {
        return _openForcedWithdrawals[_idAndSender(id, uint160(sender))] != 0;
    }

    /// @inheritdoc IRollup
    function burnableWei() external view returns (uint256) {
        return _totals.burnableWei;
    }

    /// @inheritdoc IRollup
    function queueFeeWei() external view returns (uint256) {
        return _feeWei(_totals.queueTail);
    }

    /// @inheritdoc IRollup
    function domain() public view returns (uint256) {
        return block.chainid == _chainId ? _domain : _computeDomain();
    }

    function _computeDomain() private view returns (uint256) {
        return uint256(keccak256(abi.encode(DOMAIN_TAG, block.chainid, address(this)))) % R;
    }
}
