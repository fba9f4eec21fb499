complete -c th-backup -l config -d 'Read this configuration file [default: ./th.toml, then /etc/th/th.toml]' -r -F
complete -c th-backup -s e -l env -d 'Act on this environment of the configuration file' -r
complete -c th-backup -l url -d 'Reach the database by this address, with the host\'s client programs' -r
complete -c th-backup -l container -d 'Reach the database in this container, with its own client programs' -r
complete -c th-backup -l database -d 'Name of the database' -r
complete -c th-backup -l user -d 'Role to work as' -r
complete -c th-backup -l files -d 'Directory of the app\'s files' -r -F
complete -c th-backup -l store -d 'Directory of the store' -r -F
complete -c th-backup -l exclude -d 'Leave out files whose path matches, besides those of the configuration' -r
complete -c th-backup -l prove -d 'Prove the set to this level: bytes, decode, restore, content, app, or none' -r
complete -c th-backup -l tag -d 'Label the set; may be repeated' -r
complete -c th-backup -l compression -d 'Compress by zstd:1 to zstd:19, gzip:1 to gzip:9, or none [default: zstd:3]' -r
complete -c th-backup -l bandwidth -d 'Read no more than this many bytes a second, as 500k, 20M or 1G' -r
complete -c th-backup -l lock-wait -d 'Give up on a table that another session keeps locked for this long' -r
complete -c th-backup -l max-age -d 'Refuse input records older than this' -r
complete -c th-backup -l no-db -d 'Leave the database out'
complete -c th-backup -l no-files -d 'Leave the files out'
complete -c th-backup -l pin -d 'Let no retention policy delete the set'
complete -c th-backup -l json -d 'Print the record even on a terminal'
complete -c th-backup -s q -l quiet -d 'Print nothing on stderr but errors'
complete -c th-backup -l plan -d 'Print what would be done, and stop'
complete -c th-backup -s h -l help -d 'Print help (see more with \'--help\')'
complete -c th-backup -s V -l version -d 'Print version'
