# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_th_swap_global_optspecs
    string join \n config= e/env= url= container= database= user= files= store= json q/quiet plan h/help V/version
end

function __fish_th_swap_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_th_swap_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_th_swap_using_subcommand
    set -l cmd (__fish_th_swap_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c th-swap -n "__fish_th_swap_needs_command" -l config -d 'Read this configuration file [default: ./th.toml, then /etc/th/th.toml]' -r -F
complete -c th-swap -n "__fish_th_swap_needs_command" -s e -l env -d 'Act on this environment of the configuration file' -r
complete -c th-swap -n "__fish_th_swap_needs_command" -l url -d 'Reach the database by this address, with the host\'s client programs' -r
complete -c th-swap -n "__fish_th_swap_needs_command" -l container -d 'Reach the database in this container, with its own client programs' -r
complete -c th-swap -n "__fish_th_swap_needs_command" -l database -d 'Name of the database' -r
complete -c th-swap -n "__fish_th_swap_needs_command" -l user -d 'Role to work as' -r
complete -c th-swap -n "__fish_th_swap_needs_command" -l files -d 'Directory of the app\'s files' -r -F
complete -c th-swap -n "__fish_th_swap_needs_command" -l store -d 'Directory of the store' -r -F
complete -c th-swap -n "__fish_th_swap_needs_command" -l json -d 'Print the record even on a terminal'
complete -c th-swap -n "__fish_th_swap_needs_command" -s q -l quiet -d 'Print nothing on stderr but errors'
complete -c th-swap -n "__fish_th_swap_needs_command" -l plan -d 'Print what would be done, and stop'
complete -c th-swap -n "__fish_th_swap_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c th-swap -n "__fish_th_swap_needs_command" -s V -l version -d 'Print version'
complete -c th-swap -n "__fish_th_swap_needs_command" -f -a "to" -d 'Release a tag: start it beside, prove it, move all traffic, watch, stop the old one'
complete -c th-swap -n "__fish_th_swap_needs_command" -f -a "canary" -d 'Release a tag in steps, each compared with the old one'
complete -c th-swap -n "__fish_th_swap_needs_command" -f -a "rollback" -d 'Go back to the release before, or to one that is named'
complete -c th-swap -n "__fish_th_swap_needs_command" -f -a "status" -d 'Say what is on disk, what runs, what is served, and whether they agree'
complete -c th-swap -n "__fish_th_swap_needs_command" -f -a "history" -d 'List the releases, newest first'
complete -c th-swap -n "__fish_th_swap_needs_command" -f -a "resume" -d 'Finish or take back what a run that died has left'
complete -c th-swap -n "__fish_th_swap_needs_command" -f -a "doctor" -d 'Look for what will make a release lose requests'
complete -c th-swap -n "__fish_th_swap_needs_command" -f -a "init" -d 'Lay the slots\' directories, the lanes, and the file that nginx includes'
complete -c th-swap -n "__fish_th_swap_needs_command" -f -a "maintenance" -d 'Turn the maintenance page on or off'
complete -c th-swap -n "__fish_th_swap_using_subcommand to" -l tag -d 'The tag of the images to release' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand to" -l hold -d 'Keep the old slot warm and watch for this long [default: slots.hold]' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand to" -l drain -d 'Wait this long for the old slot\'s connections to end [default: slots.drain]' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand to" -l ready -d 'Wait this long for the new slot to be healthy [default: slots.ready]' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand to" -l probes -d 'Probes in a row that must succeed before the switch [default: 3]' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand to" -l exclusive -d 'A service that must not run twice: stopped before the switch, started after it' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand to" -l max-age -d 'Refuse input records older than this' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand to" -l config -d 'Read this configuration file [default: ./th.toml, then /etc/th/th.toml]' -r -F
complete -c th-swap -n "__fish_th_swap_using_subcommand to" -s e -l env -d 'Act on this environment of the configuration file' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand to" -l url -d 'Reach the database by this address, with the host\'s client programs' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand to" -l container -d 'Reach the database in this container, with its own client programs' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand to" -l database -d 'Name of the database' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand to" -l user -d 'Role to work as' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand to" -l files -d 'Directory of the app\'s files' -r -F
complete -c th-swap -n "__fish_th_swap_using_subcommand to" -l store -d 'Directory of the store' -r -F
complete -c th-swap -n "__fish_th_swap_using_subcommand to" -l json -d 'Print the record even on a terminal'
complete -c th-swap -n "__fish_th_swap_using_subcommand to" -s q -l quiet -d 'Print nothing on stderr but errors'
complete -c th-swap -n "__fish_th_swap_using_subcommand to" -l plan -d 'Print what would be done, and stop'
complete -c th-swap -n "__fish_th_swap_using_subcommand to" -s h -l help -d 'Print help'
complete -c th-swap -n "__fish_th_swap_using_subcommand canary" -l tag -d 'The tag of the images to release' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand canary" -l hold -d 'Keep the old slot warm and watch for this long [default: slots.hold]' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand canary" -l drain -d 'Wait this long for the old slot\'s connections to end [default: slots.drain]' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand canary" -l ready -d 'Wait this long for the new slot to be healthy [default: slots.ready]' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand canary" -l probes -d 'Probes in a row that must succeed before the switch [default: 3]' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand canary" -l exclusive -d 'A service that must not run twice: stopped before the switch, started after it' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand canary" -l steps -d 'Shares of the clients, in percent, in rising order' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand canary" -l every -d 'Stay on each step for this long' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand canary" -l compare -d 'Compare what users met, or what the tool\'s own probes meet [default: users, if slots.nginx.access_log is set]' -r -f -a "users\t'What users met, from the access log'
probes\t'What the tool\'s own probes meet'"
complete -c th-swap -n "__fish_th_swap_using_subcommand canary" -l min-requests -d 'Fewer requests than this to the new slot say nothing: the canary pauses' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand canary" -l error-margin -d 'Go back when this many percent more of the new slot\'s requests fail than of the old one\'s' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand canary" -l latency-factor -d 'Go back when 19 of 20 requests take this many times as long as in the old slot, and 50 ms' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand canary" -l failures -d 'Go back within a step after this many bad comparisons in a row' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand canary" -l max-age -d 'Refuse input records older than this' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand canary" -l config -d 'Read this configuration file [default: ./th.toml, then /etc/th/th.toml]' -r -F
complete -c th-swap -n "__fish_th_swap_using_subcommand canary" -s e -l env -d 'Act on this environment of the configuration file' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand canary" -l url -d 'Reach the database by this address, with the host\'s client programs' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand canary" -l container -d 'Reach the database in this container, with its own client programs' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand canary" -l database -d 'Name of the database' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand canary" -l user -d 'Role to work as' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand canary" -l files -d 'Directory of the app\'s files' -r -F
complete -c th-swap -n "__fish_th_swap_using_subcommand canary" -l store -d 'Directory of the store' -r -F
complete -c th-swap -n "__fish_th_swap_using_subcommand canary" -l json -d 'Print the record even on a terminal'
complete -c th-swap -n "__fish_th_swap_using_subcommand canary" -s q -l quiet -d 'Print nothing on stderr but errors'
complete -c th-swap -n "__fish_th_swap_using_subcommand canary" -l plan -d 'Print what would be done, and stop'
complete -c th-swap -n "__fish_th_swap_using_subcommand canary" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c th-swap -n "__fish_th_swap_using_subcommand rollback" -l to -d 'Go back to this release [default: the one before]' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand rollback" -l hold -d 'Keep the slot that is left warm for this long; not used while a release is in its hold [default: it is stopped at once]' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand rollback" -l max-age -d 'Refuse input records older than this' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand rollback" -l config -d 'Read this configuration file [default: ./th.toml, then /etc/th/th.toml]' -r -F
complete -c th-swap -n "__fish_th_swap_using_subcommand rollback" -s e -l env -d 'Act on this environment of the configuration file' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand rollback" -l url -d 'Reach the database by this address, with the host\'s client programs' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand rollback" -l container -d 'Reach the database in this container, with its own client programs' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand rollback" -l database -d 'Name of the database' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand rollback" -l user -d 'Role to work as' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand rollback" -l files -d 'Directory of the app\'s files' -r -F
complete -c th-swap -n "__fish_th_swap_using_subcommand rollback" -l store -d 'Directory of the store' -r -F
complete -c th-swap -n "__fish_th_swap_using_subcommand rollback" -l json -d 'Print the record even on a terminal'
complete -c th-swap -n "__fish_th_swap_using_subcommand rollback" -s q -l quiet -d 'Print nothing on stderr but errors'
complete -c th-swap -n "__fish_th_swap_using_subcommand rollback" -l plan -d 'Print what would be done, and stop'
complete -c th-swap -n "__fish_th_swap_using_subcommand rollback" -s h -l help -d 'Print help'
complete -c th-swap -n "__fish_th_swap_using_subcommand status" -l config -d 'Read this configuration file [default: ./th.toml, then /etc/th/th.toml]' -r -F
complete -c th-swap -n "__fish_th_swap_using_subcommand status" -s e -l env -d 'Act on this environment of the configuration file' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand status" -l url -d 'Reach the database by this address, with the host\'s client programs' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand status" -l container -d 'Reach the database in this container, with its own client programs' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand status" -l database -d 'Name of the database' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand status" -l user -d 'Role to work as' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand status" -l files -d 'Directory of the app\'s files' -r -F
complete -c th-swap -n "__fish_th_swap_using_subcommand status" -l store -d 'Directory of the store' -r -F
complete -c th-swap -n "__fish_th_swap_using_subcommand status" -l json -d 'Print the record even on a terminal'
complete -c th-swap -n "__fish_th_swap_using_subcommand status" -s q -l quiet -d 'Print nothing on stderr but errors'
complete -c th-swap -n "__fish_th_swap_using_subcommand status" -l plan -d 'Print what would be done, and stop'
complete -c th-swap -n "__fish_th_swap_using_subcommand status" -s h -l help -d 'Print help'
complete -c th-swap -n "__fish_th_swap_using_subcommand history" -l config -d 'Read this configuration file [default: ./th.toml, then /etc/th/th.toml]' -r -F
complete -c th-swap -n "__fish_th_swap_using_subcommand history" -s e -l env -d 'Act on this environment of the configuration file' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand history" -l url -d 'Reach the database by this address, with the host\'s client programs' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand history" -l container -d 'Reach the database in this container, with its own client programs' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand history" -l database -d 'Name of the database' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand history" -l user -d 'Role to work as' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand history" -l files -d 'Directory of the app\'s files' -r -F
complete -c th-swap -n "__fish_th_swap_using_subcommand history" -l store -d 'Directory of the store' -r -F
complete -c th-swap -n "__fish_th_swap_using_subcommand history" -l json -d 'Print the record even on a terminal'
complete -c th-swap -n "__fish_th_swap_using_subcommand history" -s q -l quiet -d 'Print nothing on stderr but errors'
complete -c th-swap -n "__fish_th_swap_using_subcommand history" -l plan -d 'Print what would be done, and stop'
complete -c th-swap -n "__fish_th_swap_using_subcommand history" -s h -l help -d 'Print help'
complete -c th-swap -n "__fish_th_swap_using_subcommand resume" -l max-age -d 'Refuse input records older than this' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand resume" -l config -d 'Read this configuration file [default: ./th.toml, then /etc/th/th.toml]' -r -F
complete -c th-swap -n "__fish_th_swap_using_subcommand resume" -s e -l env -d 'Act on this environment of the configuration file' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand resume" -l url -d 'Reach the database by this address, with the host\'s client programs' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand resume" -l container -d 'Reach the database in this container, with its own client programs' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand resume" -l database -d 'Name of the database' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand resume" -l user -d 'Role to work as' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand resume" -l files -d 'Directory of the app\'s files' -r -F
complete -c th-swap -n "__fish_th_swap_using_subcommand resume" -l store -d 'Directory of the store' -r -F
complete -c th-swap -n "__fish_th_swap_using_subcommand resume" -l json -d 'Print the record even on a terminal'
complete -c th-swap -n "__fish_th_swap_using_subcommand resume" -s q -l quiet -d 'Print nothing on stderr but errors'
complete -c th-swap -n "__fish_th_swap_using_subcommand resume" -l plan -d 'Print what would be done, and stop'
complete -c th-swap -n "__fish_th_swap_using_subcommand resume" -s h -l help -d 'Print help'
complete -c th-swap -n "__fish_th_swap_using_subcommand doctor" -l config -d 'Read this configuration file [default: ./th.toml, then /etc/th/th.toml]' -r -F
complete -c th-swap -n "__fish_th_swap_using_subcommand doctor" -s e -l env -d 'Act on this environment of the configuration file' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand doctor" -l url -d 'Reach the database by this address, with the host\'s client programs' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand doctor" -l container -d 'Reach the database in this container, with its own client programs' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand doctor" -l database -d 'Name of the database' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand doctor" -l user -d 'Role to work as' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand doctor" -l files -d 'Directory of the app\'s files' -r -F
complete -c th-swap -n "__fish_th_swap_using_subcommand doctor" -l store -d 'Directory of the store' -r -F
complete -c th-swap -n "__fish_th_swap_using_subcommand doctor" -l json -d 'Print the record even on a terminal'
complete -c th-swap -n "__fish_th_swap_using_subcommand doctor" -s q -l quiet -d 'Print nothing on stderr but errors'
complete -c th-swap -n "__fish_th_swap_using_subcommand doctor" -l plan -d 'Print what would be done, and stop'
complete -c th-swap -n "__fish_th_swap_using_subcommand doctor" -s h -l help -d 'Print help'
complete -c th-swap -n "__fish_th_swap_using_subcommand init" -l config -d 'Read this configuration file [default: ./th.toml, then /etc/th/th.toml]' -r -F
complete -c th-swap -n "__fish_th_swap_using_subcommand init" -s e -l env -d 'Act on this environment of the configuration file' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand init" -l url -d 'Reach the database by this address, with the host\'s client programs' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand init" -l container -d 'Reach the database in this container, with its own client programs' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand init" -l database -d 'Name of the database' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand init" -l user -d 'Role to work as' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand init" -l files -d 'Directory of the app\'s files' -r -F
complete -c th-swap -n "__fish_th_swap_using_subcommand init" -l store -d 'Directory of the store' -r -F
complete -c th-swap -n "__fish_th_swap_using_subcommand init" -l json -d 'Print the record even on a terminal'
complete -c th-swap -n "__fish_th_swap_using_subcommand init" -s q -l quiet -d 'Print nothing on stderr but errors'
complete -c th-swap -n "__fish_th_swap_using_subcommand init" -l plan -d 'Print what would be done, and stop'
complete -c th-swap -n "__fish_th_swap_using_subcommand init" -s h -l help -d 'Print help'
complete -c th-swap -n "__fish_th_swap_using_subcommand maintenance" -l retry-after -d 'What clients are told to wait before they come back' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand maintenance" -l config -d 'Read this configuration file [default: ./th.toml, then /etc/th/th.toml]' -r -F
complete -c th-swap -n "__fish_th_swap_using_subcommand maintenance" -s e -l env -d 'Act on this environment of the configuration file' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand maintenance" -l url -d 'Reach the database by this address, with the host\'s client programs' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand maintenance" -l container -d 'Reach the database in this container, with its own client programs' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand maintenance" -l database -d 'Name of the database' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand maintenance" -l user -d 'Role to work as' -r
complete -c th-swap -n "__fish_th_swap_using_subcommand maintenance" -l files -d 'Directory of the app\'s files' -r -F
complete -c th-swap -n "__fish_th_swap_using_subcommand maintenance" -l store -d 'Directory of the store' -r -F
complete -c th-swap -n "__fish_th_swap_using_subcommand maintenance" -l json -d 'Print the record even on a terminal'
complete -c th-swap -n "__fish_th_swap_using_subcommand maintenance" -s q -l quiet -d 'Print nothing on stderr but errors'
complete -c th-swap -n "__fish_th_swap_using_subcommand maintenance" -l plan -d 'Print what would be done, and stop'
complete -c th-swap -n "__fish_th_swap_using_subcommand maintenance" -s h -l help -d 'Print help (see more with \'--help\')'
