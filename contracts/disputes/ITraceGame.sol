// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {TraceRules} from "./TraceRules.sol";

/// @title Whether numbers of a language model are its text's: a game of two, refereed to the last bit
/// @notice docs/explanation/fault-proofs.md says what a trace is. LedgerTraces is the game whose verdicts a ledger waits for.
///
/// A model's owner claims the numbers that a text's pass ends with: those of a query, with a bond, or those of a row of G that
/// is posted with one. Until the window ends anyone may challenge them, with a stake.
/// The owner then states the root of the whole computation, and shows it sixteen nodes at a time; the challenger
/// says each time below which of them the first difference lies. After some rounds one word of eight floats is left, and
/// L1 computes one of these itself, from numbers that open the owner's own root. Each side has one time for all its moves;
/// who has used it up has lost.
///
/// Whoever is right needs no luck: an honest challenger descends to the first word that differs, whose sources are all
/// right, so its number is wrong by the rules; below an honest root no number is wrong.
interface ITraceGame {
    /// @notice What is claimed. @param rollup Whose ledger. @param modelId Of that ledger.
    /// @param inputs Roots of what is known before any text: parameters, adapter, positions, map.
    /// @param programs Root over programs by the number of tokens they read. @param programCount Leaves of it.
    /// @param opCount Operations of this text's program. @param program Root over their descriptions.
    /// @param tokens Prompt, then answer: four bytes a token. @param promptCount Tokens of the prompt.
    /// @param query Root over the query's numbers, as floats.
    struct Statement {
        address rollup;
        uint256 modelId;
        bytes32[] inputs;
        bytes32 programs;
        uint256 programCount;
        uint256 opCount;
        bytes32 program;
        bytes tokens;
        uint256 promptCount;
        bytes32 query;
    }

    /// @notice What is claimed. @param Query A query's entries, the last operation's results. @param Row A posted row's real
    /// features: the results before the largest of them is taken and they are rounded.
    enum Kind {
        Query,
        Row
    }

    /// @notice Whose move a game waits for.
    /// @param Answer The owner's: the trace's root. @param Reveal The owner's: nodes below the chosen one.
    /// @param Choose The challenger's: one of them. @param Show The challenger's: the numbers that refute a word.
    enum Turn {
        None,
        Answer,
        Reveal,
        Choose,
        Show,
        Over
    }

    // By rollup and model first: whoever plays for one reads none of another.
    /// @param key Of a query what the ledger has, of a row its model commitment and its place.
    event Claimed(
        address indexed rollup,
        uint256 indexed modelId,
        address indexed owner,
        uint256 claimId,
        Kind kind,
        bytes32 key,
        Statement statement,
        uint256 bondWei,
        uint256 endsAt
    );
    event Challenged(
        address indexed rollup,
        uint256 indexed modelId,
        address indexed challenger,
        uint256 gameId,
        uint256 claimId,
        uint256 deadline
    );
    /// @notice The owner has shown nodes. @param place Number of the node above them, on its level.
    event Revealed(uint256 indexed gameId, bytes32[] nodes, uint256 place, uint256 deadline);
    /// @notice The challenger has chosen. @param op 0 while it is not known. @param place Number of the chosen node.
    event Chosen(uint256 indexed gameId, Turn turn, uint256 op, uint256 place, uint256 deadline);
    /// @notice The claim is wrong. @param gameId 0 where no game was needed: LedgerTraces.
    event Refuted(uint256 indexed claimId, uint256 indexed gameId, address indexed challenger, uint256 rewardWei);
    event Defended(uint256 indexed claimId, uint256 indexed gameId, uint256 rewardWei);
    event StakeReturned(uint256 indexed gameId, address indexed challenger, uint256 amountWei);
    event BondReturned(uint256 indexed claimId, address indexed owner, uint256 amountWei);
    event Withdrawn(address indexed who, uint256 amountWei);

    error TraceParametersInvalid();
    error TraceBondWrong(uint256 givenWei, uint256 neededWei);
    error TraceStatementInvalid();
    error TraceOtherStatement(uint256 claimId);
    error TraceUnknown(uint256 id);
    error TraceWindowOver(uint256 claimId);
    /// @notice The window is open, a game is open, or the claim is refuted.
    error TraceNotOver(uint256 claimId);
    /// @notice The claim is refuted, or the model commitment whose row it is about.
    error TraceAlreadyRefuted(uint256 claimId);
    error TraceNotYourTurn(uint256 gameId, Turn turn);
    error TraceTooLate(uint256 gameId, uint256 deadline);
    error TraceTooEarly(uint256 gameId, uint256 deadline);
    /// @notice These nodes do not make the one above them, or are not those that were shown.
    error TraceNodesInvalid(uint256 gameId);
    /// @notice The description, or the query's root, does not open the claim's roots.
    error TracePathInvalid(uint256 gameId);
    /// @notice The number is what it has to be.
    error TraceNothingWrong(uint256 gameId);
    error TraceNothingToWithdraw(address who);
    error TracePaymentRefused(address who);

    /// @notice Makes several moves of the caller's in one transaction: all of them, or none. @param moves Calls of this
    /// contract.
    function playMany(bytes[] calldata moves) external;

    /// @notice Says that the claimed numbers are others. Games of one claim stand side by side. The stake is what is paid: at
    /// least `stakeFor` of the claim. @param statementHash keccak256 of the statement, ABI-encoded, that the challenger has
    /// compared: a claim of another one under this number is not challenged. @return gameId 1, 2, …
    function challenge(uint256 claimId, bytes32 statementHash) external payable returns (uint256 gameId);

    /// @notice The owner's first move. @param path From the claimed operation's root to the trace's.
    function answer(
        uint256 gameId,
        Statement calldata statement,
        bytes32 traceRoot,
        bytes32[] calldata path,
        bytes32[] calldata nodes
    ) external;

    /// @notice The owner's next moves: the sixteen nodes, or fewer, four levels below the chosen one.
    function reveal(uint256 gameId, bytes32[] calldata nodes) external;

    /// @notice The challenger's moves. @param nodes As they were shown. @param child The first that differs.
    function choose(uint256 gameId, bytes32[] calldata nodes, uint256 child) external;

    /// @notice The challenger's move where an operation is found. An input's root is compared at once.
    /// @param op Its description. @param path To the statement's `program`.
    function chooseOp(
        uint256 gameId,
        Statement calldata statement,
        bytes32[] calldata nodes,
        uint256 child,
        bytes calldata op,
        bytes32[] calldata path
    ) external;

    /// @notice The challenger's last move: one of the word's eight numbers, and what it is made of.
    function show(
        uint256 gameId,
        Statement calldata statement,
        uint256 number,
        bytes calldata op,
        TraceRules.Range[] calldata ranges
    ) external;

    /// @notice Ends a game whose player was silent for too long. Open to all.
    function endByTime(uint256 gameId) external;

    /// @notice Gives a stake back where another game has decided about the claim. Open to all.
    function returnStake(uint256 gameId) external;

    /// @notice Gives the bond back once a claim stands.
    function returnBond(uint256 claimId) external;

    /// @notice Pays what is owed to an address. Open to all.
    function withdraw(address payable who) external;

    /// @notice What a challenge of this claim costs at this base fee: the first one a stake, later ones by the games that are
    /// open. A query's by its own games, one stake more for each 256; a row's by those of its model commitment (LedgerTraces).
    function stakeFor(uint256 claimId, uint256 baseFeeWei) external view returns (uint256);

    /// @notice Whether the claim is refuted, or the model commitment whose row it is about: nothing more is played about it, and
    /// stakes come back.
    function isDecided(uint256 claimId) external view returns (bool);

    /// @notice Whether the window has ended, no game is open and none was lost.
    function stands(uint256 claimId) external view returns (bool);
}
