# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_th_restore_global_optspecs
    string join \n config= e/env= url= container= database= user= files= store= json q/quiet plan h/help V/version
end

function __fish_th_restore_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_th_restore_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_th_restore_using_subcommand
    set -l cmd (__fish_th_restore_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c th-restore -n "__fish_th_restore_needs_command" -l config -d 'Read this configuration file [default: ./th.toml, then /etc/th/th.toml]' -r -F
complete -c th-restore -n "__fish_th_restore_needs_command" -s e -l env -d 'Act on this environment of the configuration file' -r
complete -c th-restore -n "__fish_th_restore_needs_command" -l url -d 'Reach the database by this address, with the host\'s client programs' -r
complete -c th-restore -n "__fish_th_restore_needs_command" -l container -d 'Reach the database in this container, with its own client programs' -r
complete -c th-restore -n "__fish_th_restore_needs_command" -l database -d 'Name of the database' -r
complete -c th-restore -n "__fish_th_restore_needs_command" -l user -d 'Role to work as' -r
complete -c th-restore -n "__fish_th_restore_needs_command" -l files -d 'Directory of the app\'s files' -r -F
complete -c th-restore -n "__fish_th_restore_needs_command" -l store -d 'Directory of the store' -r -F
complete -c th-restore -n "__fish_th_restore_needs_command" -l json -d 'Print the record even on a terminal'
complete -c th-restore -n "__fish_th_restore_needs_command" -s q -l quiet -d 'Print nothing on stderr but errors'
complete -c th-restore -n "__fish_th_restore_needs_command" -l plan -d 'Print what would be done, and stop'
complete -c th-restore -n "__fish_th_restore_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c th-restore -n "__fish_th_restore_needs_command" -s V -l version -d 'Print version'
complete -c th-restore -n "__fish_th_restore_needs_command" -f -a "list" -d 'List the sets of the store, newest first'
complete -c th-restore -n "__fish_th_restore_needs_command" -f -a "show" -d 'Show the manifest and the proof of a set'
complete -c th-restore -n "__fish_th_restore_needs_command" -f -a "verify" -d 'Prove a set by reading, decoding, restoring and comparing it'
complete -c th-restore -n "__fish_th_restore_needs_command" -f -a "apply" -d 'Restore a set, and put it live once it is proven'
complete -c th-restore -n "__fish_th_restore_needs_command" -f -a "undo" -d 'Take the last restore back'
complete -c th-restore -n "__fish_th_restore_needs_command" -f -a "gc" -d 'Drop the databases and files that restores have kept'
complete -c th-restore -n "__fish_th_restore_using_subcommand list" -l config -d 'Read this configuration file [default: ./th.toml, then /etc/th/th.toml]' -r -F
complete -c th-restore -n "__fish_th_restore_using_subcommand list" -s e -l env -d 'Act on this environment of the configuration file' -r
complete -c th-restore -n "__fish_th_restore_using_subcommand list" -l url -d 'Reach the database by this address, with the host\'s client programs' -r
complete -c th-restore -n "__fish_th_restore_using_subcommand list" -l container -d 'Reach the database in this container, with its own client programs' -r
complete -c th-restore -n "__fish_th_restore_using_subcommand list" -l database -d 'Name of the database' -r
complete -c th-restore -n "__fish_th_restore_using_subcommand list" -l user -d 'Role to work as' -r
complete -c th-restore -n "__fish_th_restore_using_subcommand list" -l files -d 'Directory of the app\'s files' -r -F
complete -c th-restore -n "__fish_th_restore_using_subcommand list" -l store -d 'Directory of the store' -r -F
complete -c th-restore -n "__fish_th_restore_using_subcommand list" -l json -d 'Print the record even on a terminal'
complete -c th-restore -n "__fish_th_restore_using_subcommand list" -s q -l quiet -d 'Print nothing on stderr but errors'
complete -c th-restore -n "__fish_th_restore_using_subcommand list" -l plan -d 'Print what would be done, and stop'
complete -c th-restore -n "__fish_th_restore_using_subcommand list" -s h -l help -d 'Print help'
complete -c th-restore -n "__fish_th_restore_using_subcommand show" -l at -d 'The newest set not after this time, such as 2026-11-23T02:00:00Z' -r
complete -c th-restore -n "__fish_th_restore_using_subcommand show" -l config -d 'Read this configuration file [default: ./th.toml, then /etc/th/th.toml]' -r -F
complete -c th-restore -n "__fish_th_restore_using_subcommand show" -s e -l env -d 'Act on this environment of the configuration file' -r
complete -c th-restore -n "__fish_th_restore_using_subcommand show" -l url -d 'Reach the database by this address, with the host\'s client programs' -r
complete -c th-restore -n "__fish_th_restore_using_subcommand show" -l container -d 'Reach the database in this container, with its own client programs' -r
complete -c th-restore -n "__fish_th_restore_using_subcommand show" -l database -d 'Name of the database' -r
complete -c th-restore -n "__fish_th_restore_using_subcommand show" -l user -d 'Role to work as' -r
complete -c th-restore -n "__fish_th_restore_using_subcommand show" -l files -d 'Directory of the app\'s files' -r -F
complete -c th-restore -n "__fish_th_restore_using_subcommand show" -l store -d 'Directory of the store' -r -F
complete -c th-restore -n "__fish_th_restore_using_subcommand show" -l json -d 'Print the record even on a terminal'
complete -c th-restore -n "__fish_th_restore_using_subcommand show" -s q -l quiet -d 'Print nothing on stderr but errors'
complete -c th-restore -n "__fish_th_restore_using_subcommand show" -l plan -d 'Print what would be done, and stop'
complete -c th-restore -n "__fish_th_restore_using_subcommand show" -s h -l help -d 'Print help'
complete -c th-restore -n "__fish_th_restore_using_subcommand verify" -l at -d 'The newest set not after this time, such as 2026-11-23T02:00:00Z' -r
complete -c th-restore -n "__fish_th_restore_using_subcommand verify" -l level -d 'Prove to this level: bytes, decode, restore, content, app' -r
complete -c th-restore -n "__fish_th_restore_using_subcommand verify" -l max-age -d 'Refuse input records older than this' -r
complete -c th-restore -n "__fish_th_restore_using_subcommand verify" -l config -d 'Read this configuration file [default: ./th.toml, then /etc/th/th.toml]' -r -F
complete -c th-restore -n "__fish_th_restore_using_subcommand verify" -s e -l env -d 'Act on this environment of the configuration file' -r
complete -c th-restore -n "__fish_th_restore_using_subcommand verify" -l url -d 'Reach the database by this address, with the host\'s client programs' -r
complete -c th-restore -n "__fish_th_restore_using_subcommand verify" -l container -d 'Reach the database in this container, with its own client programs' -r
complete -c th-restore -n "__fish_th_restore_using_subcommand verify" -l database -d 'Name of the database' -r
complete -c th-restore -n "__fish_th_restore_using_subcommand verify" -l user -d 'Role to work as' -r
complete -c th-restore -n "__fish_th_restore_using_subcommand verify" -l files -d 'Directory of the app\'s files' -r -F
complete -c th-restore -n "__fish_th_restore_using_subcommand verify" -l store -d 'Directory of the store' -r -F
complete -c th-restore -n "__fish_th_restore_using_subcommand verify" -l json -d 'Print the record even on a terminal'
complete -c th-restore -n "__fish_th_restore_using_subcommand verify" -s q -l quiet -d 'Print nothing on stderr but errors'
complete -c th-restore -n "__fish_th_restore_using_subcommand verify" -l plan -d 'Print what would be done, and stop'
complete -c th-restore -n "__fish_th_restore_using_subcommand verify" -s h -l help -d 'Print help'
complete -c th-restore -n "__fish_th_restore_using_subcommand apply" -l at -d 'The newest set not after this time, such as 2026-11-23T02:00:00Z' -r
complete -c th-restore -n "__fish_th_restore_using_subcommand apply" -l only -d 'Restore only this part [default: the database and the files]' -r -f -a "db\t'The database'
files\t'The files'
config\t'The configuration files'"
complete -c th-restore -n "__fish_th_restore_using_subcommand apply" -l into -d 'Restore into this database or directory instead, and leave the live one alone' -r
complete -c th-restore -n "__fish_th_restore_using_subcommand apply" -l table -d 'Restore only this table, and nothing it depends on' -r
complete -c th-restore -n "__fish_th_restore_using_subcommand apply" -l max-age -d 'Refuse input records older than this' -r
complete -c th-restore -n "__fish_th_restore_using_subcommand apply" -l config -d 'Read this configuration file [default: ./th.toml, then /etc/th/th.toml]' -r -F
complete -c th-restore -n "__fish_th_restore_using_subcommand apply" -s e -l env -d 'Act on this environment of the configuration file' -r
complete -c th-restore -n "__fish_th_restore_using_subcommand apply" -l url -d 'Reach the database by this address, with the host\'s client programs' -r
complete -c th-restore -n "__fish_th_restore_using_subcommand apply" -l container -d 'Reach the database in this container, with its own client programs' -r
complete -c th-restore -n "__fish_th_restore_using_subcommand apply" -l database -d 'Name of the database' -r
complete -c th-restore -n "__fish_th_restore_using_subcommand apply" -l user -d 'Role to work as' -r
complete -c th-restore -n "__fish_th_restore_using_subcommand apply" -l files -d 'Directory of the app\'s files' -r -F
complete -c th-restore -n "__fish_th_restore_using_subcommand apply" -l store -d 'Directory of the store' -r -F
complete -c th-restore -n "__fish_th_restore_using_subcommand apply" -l json -d 'Print the record even on a terminal'
complete -c th-restore -n "__fish_th_restore_using_subcommand apply" -s q -l quiet -d 'Print nothing on stderr but errors'
complete -c th-restore -n "__fish_th_restore_using_subcommand apply" -l plan -d 'Print what would be done, and stop'
complete -c th-restore -n "__fish_th_restore_using_subcommand apply" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c th-restore -n "__fish_th_restore_using_subcommand undo" -l max-age -d 'Refuse input records older than this' -r
complete -c th-restore -n "__fish_th_restore_using_subcommand undo" -l config -d 'Read this configuration file [default: ./th.toml, then /etc/th/th.toml]' -r -F
complete -c th-restore -n "__fish_th_restore_using_subcommand undo" -s e -l env -d 'Act on this environment of the configuration file' -r
complete -c th-restore -n "__fish_th_restore_using_subcommand undo" -l url -d 'Reach the database by this address, with the host\'s client programs' -r
complete -c th-restore -n "__fish_th_restore_using_subcommand undo" -l container -d 'Reach the database in this container, with its own client programs' -r
complete -c th-restore -n "__fish_th_restore_using_subcommand undo" -l database -d 'Name of the database' -r
complete -c th-restore -n "__fish_th_restore_using_subcommand undo" -l user -d 'Role to work as' -r
complete -c th-restore -n "__fish_th_restore_using_subcommand undo" -l files -d 'Directory of the app\'s files' -r -F
complete -c th-restore -n "__fish_th_restore_using_subcommand undo" -l store -d 'Directory of the store' -r -F
complete -c th-restore -n "__fish_th_restore_using_subcommand undo" -l json -d 'Print the record even on a terminal'
complete -c th-restore -n "__fish_th_restore_using_subcommand undo" -s q -l quiet -d 'Print nothing on stderr but errors'
complete -c th-restore -n "__fish_th_restore_using_subcommand undo" -l plan -d 'Print what would be done, and stop'
complete -c th-restore -n "__fish_th_restore_using_subcommand undo" -s h -l help -d 'Print help'
complete -c th-restore -n "__fish_th_restore_using_subcommand gc" -l older-than -d 'Keep what is younger than this' -r
complete -c th-restore -n "__fish_th_restore_using_subcommand gc" -l max-age -d 'Refuse input records older than this' -r
complete -c th-restore -n "__fish_th_restore_using_subcommand gc" -l config -d 'Read this configuration file [default: ./th.toml, then /etc/th/th.toml]' -r -F
complete -c th-restore -n "__fish_th_restore_using_subcommand gc" -s e -l env -d 'Act on this environment of the configuration file' -r
complete -c th-restore -n "__fish_th_restore_using_subcommand gc" -l url -d 'Reach the database by this address, with the host\'s client programs' -r
complete -c th-restore -n "__fish_th_restore_using_subcommand gc" -l container -d 'Reach the database in this container, with its own client programs' -r
complete -c th-restore -n "__fish_th_restore_using_subcommand gc" -l database -d 'Name of the database' -r
complete -c th-restore -n "__fish_th_restore_using_subcommand gc" -l user -d 'Role to work as' -r
complete -c th-restore -n "__fish_th_restore_using_subcommand gc" -l files -d 'Directory of the app\'s files' -r -F
complete -c th-restore -n "__fish_th_restore_using_subcommand gc" -l store -d 'Directory of the store' -r -F
complete -c th-restore -n "__fish_th_restore_using_subcommand gc" -l json -d 'Print the record even on a terminal'
complete -c th-restore -n "__fish_th_restore_using_subcommand gc" -s q -l quiet -d 'Print nothing on stderr but errors'
complete -c th-restore -n "__fish_th_restore_using_subcommand gc" -l plan -d 'Print what would be done, and stop'
complete -c th-restore -n "__fish_th_restore_using_subcommand gc" -s h -l help -d 'Print help'
