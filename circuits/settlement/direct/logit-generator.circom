pragma circom 2.1.6;

// The generator of a direct model's logit and its digit table, as generator-tables.ts makes them of rows';
// direct-scores.test.ts computes both again.
function LOGIT_GENERATOR() {
    return [
        0x2dbd15b182be891271cfdc0c9750e83ef38b1abe47acf8cf78b0f71ff1ee46be,
        0x2019a5bec77d7d56d045cd09361ad1aeb967f6634223612c53691c2da99190dc
    ];
}
function LOGIT_TABLE() {
    return [[
        0xddeb4fbfec132ad29e21f9a612c2d50e30ff08ee8e792ed5e8f7cace8a3ac3f,
        0x1fde60b583fd566547edbc723624baee107b2a2f5ec565e21a217a73094a9a7f,
        0x3c5a165a35b8eeac4d4ba6ecb80bb3c1d048a47baa644aac0d142891022fe73,
        0x19f03c88fcf4a428f75b718a3e19f70df7da6cd3a5db24d2f9ca199ceac02627,
        0x15285f665404d78e50673d582b20ad1c62ecc2228f505fc31dc03a7edaf2a35f,
        0xaf146587378a5c87fde8fb10afa2492567b3440b2d3016935a8e1aece9eed7d,
        0xf851b2f82e2a28902cbeb64e8387cdde7ff8e9a735341095096db139e477914,
        0xcf199a0510aef808cad46044648647cfed89494f70c9a6a77baec894d8a33e7
    ]];
}
