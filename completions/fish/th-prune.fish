# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_th_prune_global_optspecs
    string join \n config= e/env= url= container= database= user= files= store= json q/quiet plan target-free= h/help V/version
end

function __fish_th_prune_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_th_prune_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_th_prune_using_subcommand
    set -l cmd (__fish_th_prune_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c th-prune -n "__fish_th_prune_needs_command" -l config -d 'Read this configuration file [default: ./th.toml, then /etc/th/th.toml]' -r -F
complete -c th-prune -n "__fish_th_prune_needs_command" -s e -l env -d 'Act on this environment of the configuration file' -r
complete -c th-prune -n "__fish_th_prune_needs_command" -l url -d 'Reach the database by this address, with the host\'s client programs' -r
complete -c th-prune -n "__fish_th_prune_needs_command" -l container -d 'Reach the database in this container, with its own client programs' -r
complete -c th-prune -n "__fish_th_prune_needs_command" -l database -d 'Name of the database' -r
complete -c th-prune -n "__fish_th_prune_needs_command" -l user -d 'Role to work as' -r
complete -c th-prune -n "__fish_th_prune_needs_command" -l files -d 'Directory of the app\'s files' -r -F
complete -c th-prune -n "__fish_th_prune_needs_command" -l store -d 'Directory of the store' -r -F
complete -c th-prune -n "__fish_th_prune_needs_command" -l target-free -d 'Without a command: prune images, databases, logs and builds, in this order, until so much of the root\'s disk and of Docker\'s is free, such as 20% or 10GB. The rules of each command hold; when they do not let enough go, the answer is no, status 4' -r
complete -c th-prune -n "__fish_th_prune_needs_command" -l json -d 'Print the record even on a terminal'
complete -c th-prune -n "__fish_th_prune_needs_command" -s q -l quiet -d 'Print nothing on stderr but errors'
complete -c th-prune -n "__fish_th_prune_needs_command" -l plan -d 'Print what would be done, and stop'
complete -c th-prune -n "__fish_th_prune_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c th-prune -n "__fish_th_prune_needs_command" -s V -l version -d 'Print version'
complete -c th-prune -n "__fish_th_prune_needs_command" -f -a "sets" -d 'Prune the sets of the store, and the packs that no set needs any more'
complete -c th-prune -n "__fish_th_prune_needs_command" -f -a "plan" -d 'Decide about JSON lines with id and started_at from stdin, and touch nothing'
complete -c th-prune -n "__fish_th_prune_needs_command" -f -a "undelete" -d 'Bring a set back from the trash'
complete -c th-prune -n "__fish_th_prune_needs_command" -f -a "images" -d 'Prune the app\'s images'
complete -c th-prune -n "__fish_th_prune_needs_command" -f -a "databases" -d 'Prune the databases that restores and releases have left'
complete -c th-prune -n "__fish_th_prune_needs_command" -f -a "logs" -d 'Prune logs'
complete -c th-prune -n "__fish_th_prune_needs_command" -f -a "builds" -d 'Prune Docker\'s build cache'
complete -c th-prune -n "__fish_th_prune_using_subcommand sets" -l keep-last -d 'Keep the last N sets' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand sets" -l keep-hourly -d 'Keep a set for each of the last N hours that have one' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand sets" -l keep-daily -d 'Keep a set for each of the last N days that have one' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand sets" -l keep-weekly -d 'Keep a set for each of the last N ISO weeks that have one' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand sets" -l keep-monthly -d 'Keep a set for each of the last N months that have one' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand sets" -l keep-yearly -d 'Keep a set for each of the last N years that have one' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand sets" -l keep-within -d 'Keep every set of this time before the newest complete one, such as 1y2m3d4h, where m are months' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand sets" -l keep-within-hourly -d 'Keep a set for each hour of this time before the newest complete one' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand sets" -l keep-within-daily -d 'Keep a set for each day of this time before the newest complete one' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand sets" -l keep-within-weekly -d 'Keep a set for each ISO week of this time before the newest complete one' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand sets" -l keep-within-monthly -d 'Keep a set for each month of this time before the newest complete one' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand sets" -l keep-within-yearly -d 'Keep a set for each year of this time before the newest complete one' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand sets" -l keep-tag -d 'Keep sets that have all of these tags; can be given again' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand sets" -l zone -d 'Begin days, weeks, months and years in this zone [default: UTC]' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand sets" -l min-keep -d 'Keep so many sets, whatever the rules say [default: 3]' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand sets" -l min-age -d 'Keep what is younger than this, such as 90min or 7d, whatever the rules say [default: 24h]' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand sets" -l max-delete -d 'Delete nothing if more than so many would go at once; 0 or 100% for no limit [default: 30%]' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand sets" -l stale-after -d 'Delete nothing if the newest complete set is older than this; 0 for any age [default: three times the usual gap between sets, a day or more]' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand sets" -l grace -d 'How long what was deleted stays in the trash, and packs that no set needs after it [default: 48h]' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand sets" -l max-age -d 'Refuse input records older than this' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand sets" -l config -d 'Read this configuration file [default: ./th.toml, then /etc/th/th.toml]' -r -F
complete -c th-prune -n "__fish_th_prune_using_subcommand sets" -s e -l env -d 'Act on this environment of the configuration file' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand sets" -l url -d 'Reach the database by this address, with the host\'s client programs' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand sets" -l container -d 'Reach the database in this container, with its own client programs' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand sets" -l database -d 'Name of the database' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand sets" -l user -d 'Role to work as' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand sets" -l files -d 'Directory of the app\'s files' -r -F
complete -c th-prune -n "__fish_th_prune_using_subcommand sets" -l store -d 'Directory of the store' -r -F
complete -c th-prune -n "__fish_th_prune_using_subcommand sets" -l json -d 'Print the record even on a terminal'
complete -c th-prune -n "__fish_th_prune_using_subcommand sets" -s q -l quiet -d 'Print nothing on stderr but errors'
complete -c th-prune -n "__fish_th_prune_using_subcommand sets" -l plan -d 'Print what would be done, and stop'
complete -c th-prune -n "__fish_th_prune_using_subcommand sets" -s h -l help -d 'Print help'
complete -c th-prune -n "__fish_th_prune_using_subcommand plan" -l keep-last -d 'Keep the last N sets' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand plan" -l keep-hourly -d 'Keep a set for each of the last N hours that have one' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand plan" -l keep-daily -d 'Keep a set for each of the last N days that have one' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand plan" -l keep-weekly -d 'Keep a set for each of the last N ISO weeks that have one' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand plan" -l keep-monthly -d 'Keep a set for each of the last N months that have one' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand plan" -l keep-yearly -d 'Keep a set for each of the last N years that have one' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand plan" -l keep-within -d 'Keep every set of this time before the newest complete one, such as 1y2m3d4h, where m are months' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand plan" -l keep-within-hourly -d 'Keep a set for each hour of this time before the newest complete one' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand plan" -l keep-within-daily -d 'Keep a set for each day of this time before the newest complete one' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand plan" -l keep-within-weekly -d 'Keep a set for each ISO week of this time before the newest complete one' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand plan" -l keep-within-monthly -d 'Keep a set for each month of this time before the newest complete one' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand plan" -l keep-within-yearly -d 'Keep a set for each year of this time before the newest complete one' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand plan" -l keep-tag -d 'Keep sets that have all of these tags; can be given again' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand plan" -l zone -d 'Begin days, weeks, months and years in this zone [default: UTC]' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand plan" -l min-keep -d 'Keep so many sets, whatever the rules say [default: 3]' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand plan" -l min-age -d 'Keep what is younger than this, such as 90min or 7d, whatever the rules say [default: 24h]' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand plan" -l max-delete -d 'Delete nothing if more than so many would go at once; 0 or 100% for no limit [default: 30%]' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand plan" -l stale-after -d 'Delete nothing if the newest complete set is older than this; 0 for any age [default: three times the usual gap between sets, a day or more]' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand plan" -l grace -d 'How long what was deleted stays in the trash, and packs that no set needs after it [default: 48h]' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand plan" -l config -d 'Read this configuration file [default: ./th.toml, then /etc/th/th.toml]' -r -F
complete -c th-prune -n "__fish_th_prune_using_subcommand plan" -s e -l env -d 'Act on this environment of the configuration file' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand plan" -l url -d 'Reach the database by this address, with the host\'s client programs' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand plan" -l container -d 'Reach the database in this container, with its own client programs' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand plan" -l database -d 'Name of the database' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand plan" -l user -d 'Role to work as' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand plan" -l files -d 'Directory of the app\'s files' -r -F
complete -c th-prune -n "__fish_th_prune_using_subcommand plan" -l store -d 'Directory of the store' -r -F
complete -c th-prune -n "__fish_th_prune_using_subcommand plan" -l json -d 'Print the record even on a terminal'
complete -c th-prune -n "__fish_th_prune_using_subcommand plan" -s q -l quiet -d 'Print nothing on stderr but errors'
complete -c th-prune -n "__fish_th_prune_using_subcommand plan" -l plan -d 'Print what would be done, and stop'
complete -c th-prune -n "__fish_th_prune_using_subcommand plan" -s h -l help -d 'Print help'
complete -c th-prune -n "__fish_th_prune_using_subcommand undelete" -l max-age -d 'Refuse input records older than this' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand undelete" -l config -d 'Read this configuration file [default: ./th.toml, then /etc/th/th.toml]' -r -F
complete -c th-prune -n "__fish_th_prune_using_subcommand undelete" -s e -l env -d 'Act on this environment of the configuration file' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand undelete" -l url -d 'Reach the database by this address, with the host\'s client programs' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand undelete" -l container -d 'Reach the database in this container, with its own client programs' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand undelete" -l database -d 'Name of the database' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand undelete" -l user -d 'Role to work as' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand undelete" -l files -d 'Directory of the app\'s files' -r -F
complete -c th-prune -n "__fish_th_prune_using_subcommand undelete" -l store -d 'Directory of the store' -r -F
complete -c th-prune -n "__fish_th_prune_using_subcommand undelete" -l json -d 'Print the record even on a terminal'
complete -c th-prune -n "__fish_th_prune_using_subcommand undelete" -s q -l quiet -d 'Print nothing on stderr but errors'
complete -c th-prune -n "__fish_th_prune_using_subcommand undelete" -l plan -d 'Print what would be done, and stop'
complete -c th-prune -n "__fish_th_prune_using_subcommand undelete" -s h -l help -d 'Print help'
complete -c th-prune -n "__fish_th_prune_using_subcommand images" -l keep-releases -d 'Keep the images of so many releases [default: 3]' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand images" -l min-age -d 'Keep what is younger than this [default: 1h]' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand images" -l max-age -d 'Refuse input records older than this' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand images" -l config -d 'Read this configuration file [default: ./th.toml, then /etc/th/th.toml]' -r -F
complete -c th-prune -n "__fish_th_prune_using_subcommand images" -s e -l env -d 'Act on this environment of the configuration file' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand images" -l url -d 'Reach the database by this address, with the host\'s client programs' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand images" -l container -d 'Reach the database in this container, with its own client programs' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand images" -l database -d 'Name of the database' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand images" -l user -d 'Role to work as' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand images" -l files -d 'Directory of the app\'s files' -r -F
complete -c th-prune -n "__fish_th_prune_using_subcommand images" -l store -d 'Directory of the store' -r -F
complete -c th-prune -n "__fish_th_prune_using_subcommand images" -l json -d 'Print the record even on a terminal'
complete -c th-prune -n "__fish_th_prune_using_subcommand images" -s q -l quiet -d 'Print nothing on stderr but errors'
complete -c th-prune -n "__fish_th_prune_using_subcommand images" -l plan -d 'Print what would be done, and stop'
complete -c th-prune -n "__fish_th_prune_using_subcommand images" -s h -l help -d 'Print help'
complete -c th-prune -n "__fish_th_prune_using_subcommand databases" -l older-than -d 'Keep what is younger than this [default: 7d]' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand databases" -l max-age -d 'Refuse input records older than this' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand databases" -l config -d 'Read this configuration file [default: ./th.toml, then /etc/th/th.toml]' -r -F
complete -c th-prune -n "__fish_th_prune_using_subcommand databases" -s e -l env -d 'Act on this environment of the configuration file' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand databases" -l url -d 'Reach the database by this address, with the host\'s client programs' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand databases" -l container -d 'Reach the database in this container, with its own client programs' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand databases" -l database -d 'Name of the database' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand databases" -l user -d 'Role to work as' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand databases" -l files -d 'Directory of the app\'s files' -r -F
complete -c th-prune -n "__fish_th_prune_using_subcommand databases" -l store -d 'Directory of the store' -r -F
complete -c th-prune -n "__fish_th_prune_using_subcommand databases" -l json -d 'Print the record even on a terminal'
complete -c th-prune -n "__fish_th_prune_using_subcommand databases" -s q -l quiet -d 'Print nothing on stderr but errors'
complete -c th-prune -n "__fish_th_prune_using_subcommand databases" -l plan -d 'Print what would be done, and stop'
complete -c th-prune -n "__fish_th_prune_using_subcommand databases" -s h -l help -d 'Print help'
complete -c th-prune -n "__fish_th_prune_using_subcommand logs" -l older-than -d 'Keep what is younger than this [default: 30d]' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand logs" -l max-age -d 'Refuse input records older than this' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand logs" -l config -d 'Read this configuration file [default: ./th.toml, then /etc/th/th.toml]' -r -F
complete -c th-prune -n "__fish_th_prune_using_subcommand logs" -s e -l env -d 'Act on this environment of the configuration file' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand logs" -l url -d 'Reach the database by this address, with the host\'s client programs' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand logs" -l container -d 'Reach the database in this container, with its own client programs' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand logs" -l database -d 'Name of the database' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand logs" -l user -d 'Role to work as' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand logs" -l files -d 'Directory of the app\'s files' -r -F
complete -c th-prune -n "__fish_th_prune_using_subcommand logs" -l store -d 'Directory of the store' -r -F
complete -c th-prune -n "__fish_th_prune_using_subcommand logs" -l json -d 'Print the record even on a terminal'
complete -c th-prune -n "__fish_th_prune_using_subcommand logs" -s q -l quiet -d 'Print nothing on stderr but errors'
complete -c th-prune -n "__fish_th_prune_using_subcommand logs" -l plan -d 'Print what would be done, and stop'
complete -c th-prune -n "__fish_th_prune_using_subcommand logs" -s h -l help -d 'Print help'
complete -c th-prune -n "__fish_th_prune_using_subcommand builds" -l older-than -d 'Keep what was used within this time [default: 7d]' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand builds" -l max-age -d 'Refuse input records older than this' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand builds" -l config -d 'Read this configuration file [default: ./th.toml, then /etc/th/th.toml]' -r -F
complete -c th-prune -n "__fish_th_prune_using_subcommand builds" -s e -l env -d 'Act on this environment of the configuration file' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand builds" -l url -d 'Reach the database by this address, with the host\'s client programs' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand builds" -l container -d 'Reach the database in this container, with its own client programs' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand builds" -l database -d 'Name of the database' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand builds" -l user -d 'Role to work as' -r
complete -c th-prune -n "__fish_th_prune_using_subcommand builds" -l files -d 'Directory of the app\'s files' -r -F
complete -c th-prune -n "__fish_th_prune_using_subcommand builds" -l store -d 'Directory of the store' -r -F
complete -c th-prune -n "__fish_th_prune_using_subcommand builds" -l json -d 'Print the record even on a terminal'
complete -c th-prune -n "__fish_th_prune_using_subcommand builds" -s q -l quiet -d 'Print nothing on stderr but errors'
complete -c th-prune -n "__fish_th_prune_using_subcommand builds" -l plan -d 'Print what would be done, and stop'
complete -c th-prune -n "__fish_th_prune_using_subcommand builds" -s h -l help -d 'Print help'
