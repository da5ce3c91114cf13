// The commands, one file each.
#ifndef VITRINE_CLI_COMMANDS_H_
#define VITRINE_CLI_COMMANDS_H_

#include "args.h"

namespace vitrine::cli {

extern const Command kClassify;
extern const Command kInfo;
extern const Command kBench;

/// "vitrine: MESSAGE" on standard error; kExitUsage, for `return Complain(error)`.
int Complain(const Error& error);

/// Path of the running executable, as well as the system tells.
const char* ExecutablePath();

}  // namespace vitrine::cli

#endif  // VITRINE_CLI_COMMANDS_H_
