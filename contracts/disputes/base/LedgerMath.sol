// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {ColumnSum} from "./ColumnSum.sol";
import {PoseidonHash} from "./PoseidonHash.sol";

/// @title What the ledger computes of a model and its datanet, computed on L1
/// @notice Its hash, a column's commitment, and the commitment to all columns (docs/reference/settlement.md).
///
/// Constants lie as code of contracts without functions, in chunks of 766 words. Anyone stores a chunk; its bytes are
/// fixed by TABLES. It holds no money and has no owner.
contract LedgerMath {
    uint256 internal constant R = PoseidonHash.R;
    /// @dev keccak256 of the chunks' keccak256, one after the other: contracts/build/ledger-tables.ts makes them.
    bytes32 public constant TABLES = 0x29043e98fe1a8b1e3a63213547080bee456e9477fad5bea724b15fa394b8f709;
    uint256 public constant CHUNK_WORDS = 766;
    /// @dev Widths with constants, in the order of their tables.
    uint256 private constant WIDTHS = 0x030406070809_11;
    uint256 private constant WIDTH_COUNT = 7;
    /// @notice First chunk of the generators.
    uint256 public immutable pointChunk;
    /// @dev The generator of a direct model's own row, on the twisted Edwards form.
    uint256 private constant LOGIT_X = 0x1ffa146c5a6357e3899db73e6c8ab4ff1f4d0c7bdd88c8eb40006858ff1f42ce;
    uint256 private constant LOGIT_Y = 0x495b2b838375b238e7495f0cc4691db06e63161a164b15ad8c6b21bdf71f1b0;
    uint256 private constant FEATURES = 16;
    uint256 private constant STATICS = 10;
    uint256 private constant ACTIVATION = 13;
    uint256 private constant SHARD_FEATURES = 39;
    uint256 private constant LEAF_REST = 24;
    uint256 private constant MOST_SHARDS = 8;
    uint256 private constant SIGN_GROUP = 64;
    uint256 private constant CHAIN_CHUNK = 15;

    bytes32[] public chunkHashes;
    /// @notice Where a chunk lies; 0 while nobody has stored it.
    mapping(uint256 index => address) public chunks;

    event ChunkStored(uint256 indexed index, address place);

    error LedgerMathTablesWrong(bytes32 given);
    error LedgerMathChunkWrong(uint256 index);
    /// @notice Nobody has stored this chunk of constants yet.
    error LedgerMathChunkMissing(uint256 index);
    error LedgerMathWidthUnknown(uint256 width);
    /// @notice A model has one to eight shards.
    error LedgerMathShardsInvalid(uint256 count);

    constructor(bytes32[] memory hashes) {
        bytes32 given = keccak256(abi.encodePacked(hashes));
        if (given != TABLES) revert LedgerMathTablesWrong(given);
        chunkHashes = hashes;
        pointChunk = (_tableAt(WIDTH_COUNT) + CHUNK_WORDS - 1) / CHUNK_WORDS;
    }

    /// @notice Stores a chunk of constants. Open to all; a second time it changes nothing.
    function storeChunk(uint256 index, bytes calldata data) external {
        if (index >= chunkHashes.length || keccak256(data) != chunkHashes[index]) revert LedgerMathChunkWrong(index);
        if (chunks[index] != address(0)) return;
        // Code that copies what lies behind itself; what it makes begins with a stop.
        bytes memory code = abi.encodePacked(hex"600b5981380380925939f300", data);
        address place;
        assembly ("memory-safe") {
            place := create(0, add(code, 0x20), mload(code))
        }
        // Out of gas.
        if (place == address(0)) revert LedgerMathChunkWrong(index);
        chunks[index] = place;
        emit ChunkStored(index, place);
    }

    /// @notice Whether all chunks are there that a model of so many rows can be challenged with.
    function isReady(uint256 rowCount) external view returns (bool) {
        uint256 last = pointChunk + (2 * rowCount + 1) / CHUNK_WORDS;
        for (uint256 index; index <= last; index++) {
            if (chunks[index] == address(0)) return false;
        }
        return true;
    }

    /// @notice H[tag](inputs). @param inputs 2, 3, 5, 6, 7, 8 or 16, taken modulo R.
    function hash(uint256 tag, uint256[] memory inputs) public view returns (uint256) {
        return _hash(_loadTable(inputs.length + 1), tag, inputs);
    }

    /// @notice The hash of a leaf of the ledger. @param tag 256 and its kind. @param fields All but its body.
    function leafHash(uint256 tag, uint256[7] calldata fields, uint256 body) external view returns (uint256) {
        uint256[] memory inputs = new uint256[](5);
        (inputs[0], inputs[1], inputs[2], inputs[3]) = (fields[4], fields[5], fields[6], body);
        inputs[4] = hash(LEAF_REST, inputs);
        for (uint256 i; i < 4; i++) inputs[i] = fields[i];
        return hash(tag, inputs);
    }

    /// @notice A model's statics. @param columns Commitment to the columns of each of its shards. @param answering What
    /// each shard's features end with: it says the model's kind. @param rest ownersCommitment, payeeRoot, binding, split.
    function statics(uint256[] calldata columns, uint256 answering, uint256[4] calldata rest)
        external
        view
        returns (uint256)
    {
        uint256 count = columns.length;
        if (count == 0 || count > MOST_SHARDS) revert LedgerMathShardsInvalid(count);
        uint256[] memory listed = new uint256[](CHAIN_CHUNK + 1);
        listed[0] = count;
        for (uint256 s; s < count; s++) listed[s + 1] = _hash2(FEATURES, columns[s], answering);
        return _statics(count == 1 ? listed[1] : hash(SHARD_FEATURES, listed), rest);
    }

    /// @notice Statics of a model of one shard whose answering hash is marked: H[mark](filesHash, promised).
    function markedStatics(
        uint256 mark,
        uint256 columns,
        uint256 filesHash,
        uint256 promised,
        uint256[4] calldata rest
    ) external view returns (uint256) {
        return _statics(_hash2(FEATURES, columns, _hash2(mark, filesHash, promised)), rest);
    }

    function _statics(uint256 features, uint256[4] calldata rest) private view returns (uint256) {
        uint256[] memory inputs = new uint256[](5);
        inputs[0] = features;
        for (uint256 i; i < 4; i++) inputs[i + 1] = rest[i];
        return hash(STATICS, inputs);
    }

    /// @notice J of an Activation.
    function activation(uint256 modelId, uint256 staticsHash, uint256 cap, uint256 payeeRoot)
        external
        view
        returns (uint256)
    {
        uint256[] memory inputs = new uint256[](6);
        (inputs[0], inputs[1], inputs[2], inputs[4], inputs[5]) = (modelId, staticsHash, cap, payeeRoot, payeeRoot);
        return hash(ACTIVATION, inputs);
    }

    /// @notice The commitment to all columns. @param points u and v of each, 32 bytes each.
    function columnsCommitment(bytes calldata points) external view returns (uint256) {
        uint256 count = points.length / 64;
        uint256 tables = _loadTable(CHAIN_CHUNK + 2);
        uint256[] memory values = new uint256[](count);
        for (uint256 j; j < count; j++) values[j] = uint256(bytes32(points[64 * j:64 * j + 32]));
        uint256 rho = _chain(tables, count, values);
        uint256[] memory sums = new uint256[]((count + SIGN_GROUP - 1) / SIGN_GROUP);
        for (uint256 j; j < count; j++) {
            uint256 v = uint256(bytes32(points[64 * j + 32:64 * j + 64]));
            sums[j / SIGN_GROUP] = addmod(mulmod(sums[j / SIGN_GROUP], rho, R), v, R);
        }
        return _chain(tables, rho, sums);
    }

    /// @notice Whether (u, v) is H' + Σ entry_k · H_k, on the Montgomery form. @param entries -127 to 127, a byte each.
    function isColumn(bytes calldata entries, uint256 u, uint256 v) external view returns (bool) {
        return _isColumn(entries, 1, u, v);
    }

    /// @notice The same for a direct model. @param entries -511 to 511, two bytes each; the last one is the logit's, which
    /// has a generator of its own.
    function isWideColumn(bytes calldata entries, uint256 u, uint256 v) external view returns (bool) {
        return _isColumn(entries, 2, u, v);
    }

    function _isColumn(bytes calldata entries, uint256 width, uint256 u, uint256 v) private view returns (bool) {
        uint256 count = entries.length / width;
        uint256 points = _load(CHUNK_WORDS * pointChunk, 2 * (width == 1 ? count + 1 : count));
        if (width == 2) _append(points + 64 * count);
        (bool isValid, uint256 x, uint256 y, uint256 z) = ColumnSum.sum(entries, points, width);
        // u = (1 + y) / (1 - y), v = u / x. The generators are of prime order, so x = 0 is the identity alone, which has
        // no u.
        return isValid && mulmod(u, addmod(z, R - y, R), R) == addmod(z, y, R)
            && mulmod(v, x, R) == mulmod(u, z, R);
    }

    /// @dev Behind what `_load` has just read.
    function _append(uint256 place) private pure {
        assembly ("memory-safe") {
            mstore(place, LOGIT_X)
            mstore(add(place, 32), LOGIT_Y)
            mstore(0x40, add(place, 64))
        }
    }

    /// @notice Root of a tree with eight children a node, from a leaf and all children on the way, leaf's level first.
    /// @dev Reverts with LedgerMathChildWrong where a level does not hold the one below at its place.
    function rootOf(uint256 nodeTag, uint256 index, uint256 leaf, uint256[8][] calldata path)
        external
        view
        returns (uint256 node)
    {
        uint256 tables = _loadTable(9);
        node = leaf;
        uint256[] memory children = new uint256[](8);
        for (uint256 level; level < path.length; level++) {
            for (uint256 i; i < 8; i++) children[i] = path[level][i];
            if (path[level][(index >> (3 * level)) & 7] != node) revert LedgerMathChildWrong(level);
            node = _hash(tables, nodeTag, children);
        }
        if (index >> (3 * path.length) != 0) revert LedgerMathChildWrong(path.length);
    }

    error LedgerMathChildWrong(uint256 level);

    function _hash2(uint256 tag, uint256 a, uint256 b) private view returns (uint256) {
        uint256[] memory inputs = new uint256[](2);
        (inputs[0], inputs[1]) = (a, b);
        return hash(tag, inputs);
    }

    /// @dev h = start; for every 15 values, the last filled up with 0: h = H[FEATURES](h, values).
    function _chain(uint256 tables, uint256 start, uint256[] memory values) private pure returns (uint256 out) {
        out = start;
        uint256[] memory inputs = new uint256[](CHAIN_CHUNK + 1);
        for (uint256 from; from < values.length; from += CHAIN_CHUNK) {
            inputs[0] = out;
            for (uint256 i; i < CHAIN_CHUNK; i++) inputs[i + 1] = from + i < values.length ? values[from + i] : 0;
            out = _hash(tables, FEATURES, inputs);
        }
    }

    /// @dev The inputs stay as they are.
    function _hash(uint256 tables, uint256 tag, uint256[] memory inputs) private pure returns (uint256 out) {
        uint256 length = inputs.length;
        uint256 state;
        // The array's length stands where the tag belongs.
        assembly ("memory-safe") {
            state := inputs
            mstore(state, tag)
        }
        PoseidonHash.permute(tables, length + 1, state);
        assembly ("memory-safe") {
            out := mload(state)
            mstore(state, length)
        }
    }

    /// @dev First word of the table of the width at this place in WIDTHS.
    function _tableAt(uint256 place) private pure returns (uint256 first) {
        for (uint256 i; i < place; i++) first += PoseidonHash.tableWords(_width(i));
    }

    function _width(uint256 place) private pure returns (uint256) {
        return (WIDTHS >> (8 * (WIDTH_COUNT - 1 - place))) & 0xff;
    }

    function _loadTable(uint256 width) private view returns (uint256) {
        for (uint256 place; place < WIDTH_COUNT; place++) {
            if (_width(place) == width) return _load(_tableAt(place), PoseidonHash.tableWords(width));
        }
        revert LedgerMathWidthUnknown(width);
    }

    /// @dev Copies words of the constants into memory.
    function _load(uint256 from, uint256 count) private view returns (uint256 place) {
        assembly ("memory-safe") {
            place := mload(0x40)
            mstore(0x40, add(place, shl(5, count)))
        }
        uint256 to = place;
        for (uint256 end = from + count; from < end;) {
            uint256 index = from / CHUNK_WORDS;
            uint256 skipped = from % CHUNK_WORDS;
            uint256 taken = CHUNK_WORDS - skipped;
            if (taken > end - from) taken = end - from;
            address code = chunks[index];
            if (code == address(0)) revert LedgerMathChunkMissing(index);
            assembly ("memory-safe") {
                extcodecopy(code, to, add(1, shl(5, skipped)), shl(5, taken))
            }
            (from, to) = (from + taken, to + 32 * taken);
        }
    }
}
