// Mozilla User Preferences

user_pref("mail.account.account1.identities", "id1");
user_pref("mail.account.account1.server", "server1");
user_pref("mail.account.account2.server", "server2");
user_pref("mail.accountmanager.accounts", "account1,account2");
user_pref("mail.accountmanager.defaultaccount", "account1");
user_pref("mail.accountmanager.localfoldersserver", "server2");
user_pref("mail.identity.id1.archive_folder", "mailbox://nobody@Local%20Folders/Archives");
user_pref("mail.identity.id1.fullName", "李娜");
user_pref("mail.identity.id1.useremail", "li.na@huayang.example");
user_pref("mail.purge_threshhold_mb", 200);
user_pref("mail.server.server1.delete_by_age_from_server", true);
user_pref("mail.server.server1.directory-rel", "[ProfD]Mail/pop.huayang.example");
user_pref("mail.server.server1.hostname", "pop.huayang.example");
user_pref("mail.server.server1.leave_on_server", true);
user_pref("mail.server.server1.num_days_to_leave_on_server", 14);
user_pref("mail.server.server1.type", "pop3");
user_pref("mail.server.server1.userName", "li.na@huayang.example");
user_pref("mail.server.server2.directory-rel", "[ProfD]Mail/Local Folders");
user_pref("mail.server.server2.hostname", "Local Folders");
user_pref("mail.server.server2.type", "none");
user_pref("mailnews.tags.$label1.tag", "重要");
