/* SPDX-License-Identifier: Apache-2.0 */
/* ashlarctl: the command line of an Ashlar box, a client of its HTTP API and of nothing
 * else. Single thread. */
#include "web/cli/args.h"
#include "web/cli/client.h"
#include "web/cli/help.h"

#include <curl/curl.h>
#include <errno.h>
#include <string.h>

static enum outcome run_verb(const struct args *args)
{
    struct endpoint endpoint;
    enum outcome outcome = endpoint_find(&endpoint, args);
    if (outcome == OUTCOME_DONE) {
        struct cmd cmd = {args, client_create(&endpoint)};
        outcome = args->verb->run(&cmd);
        client_destroy(cmd.client);
    }
    endpoint_fini(&endpoint);
    return outcome;
}

static enum outcome run(const struct args *args)
{
    if (args_has(args, "help")) {
        help_print(args);
        return OUTCOME_DONE;
    }
    if (args_has(args, "version")) {
        printf("ashlarctl %s\n", ASHLAR_VERSION);
        return OUTCOME_DONE;
    }
    return run_verb(args);
}

int main(int argc, char **argv)
{
    struct args args;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        must(NULL);
    enum outcome outcome = args_read(&args, argc, argv);
    if (outcome == OUTCOME_DONE)
        outcome = run(&args);
    args_fini(&args);
    curl_global_cleanup();
    /* Success is not said of what could not be written. */
    if ((fflush(stdout) != 0 || ferror(stdout)) && outcome == OUTCOME_DONE)
        outcome = say(OUTCOME_REFUSED, "cannot write the answer: %s", strerror(errno));
    return (int)outcome;
}
